//! The slips that are common to what to write instead.

use super::found::{Found, FoundKind};
use crate::parse::scan::{last_token_end, word};

/// The verbs of rules.
const VERBS: [&str; 8] = ["decay", "lr", "init", "clip", "use", "betas", "eps", "unit"];

/// The statement that ends before byte `at` of `block`, as far as it goes.
fn statement_before(block: &str, at: usize) -> &str {
    let before = block.get(..last_token_end(block, at)).unwrap_or("");
    before.rsplit(['\n', '{', ',']).next().unwrap_or("").trim()
}

/// The line that byte `at` of `block` stands on, up to it.
fn line_before(block: &str, at: usize) -> &str {
    block.get(..at).unwrap_or("").rsplit('\n').next().unwrap_or("")
}

/// The name in `width 128`: to the grammar, the start of a rule.
pub fn setting_without_equals<'b>(block: &'b str, expected: &[&str], at: usize) -> Option<&'b str> {
    let (name, _) = statement_before(block, at).split_once(' ')?;
    (expected == ["`on`"] && !VERBS.contains(&name)).then_some(name)
}

/// What to write instead of what was `found` in `block`, where something of `expected` may stand.
pub fn hint(block: &str, expected: &[&str], found: &Found) -> Option<String> {
    let statement = statement_before(block, found.range.start);
    let expects = |words: &str| expected.contains(&words);
    match found.kind {
        FoundKind::Foreign('“' | '”' | '„' | '«' | '»' | '‘' | '’') => {
            return Some("a text stands in plain double quotes: `\"`".to_owned());
        }
        FoundKind::Foreign('−' | '–' | '—') => return Some("a minus is written `-`".to_owned()),
        FoundKind::Foreign('×' | '·') => return Some("a product is written `*`".to_owned()),
        FoundKind::Foreign(c) if c.is_alphabetic() => {
            return Some("names are made of the letters a to z, digits and `_`".to_owned());
        }
        FoundKind::Foreign(_) => return Some("delete it, or put a plain space there".to_owned()),
        FoundKind::Token | FoundKind::LineBreak | FoundKind::End => {}
    }
    match block.get(found.range.clone())? {
        "==" | "!=" | "<" | "<=" | ">" | ">="
            if line_before(block, found.range.start).contains(" where ") =>
        {
            Some("conditions are joined by `and`".to_owned())
        }
        "or" if expects("`and`") => {
            Some("there is no `or` between conditions: write a rule for each of them".to_owned())
        }
        word if expects("`and`") && word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Some("conditions are joined by `and`".to_owned())
        }
        number
            if VERBS.contains(&word(statement, 0))
                && statement.ends_with('.')
                && number.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Some("a path names tensors of all layers; choose layers with `where layer == 1`".to_owned())
        }
        "==" if expects("`=`") => Some("a setting is written with one `=`".to_owned()),
        "=" if expects("a comparison such as `==`") => Some("a condition compares with two: `==`".to_owned()),
        "\n" | "" if statement.ends_with(" on") => {
            Some(format!("say what the rule holds for: `{statement} weight`, `{statement} attn.q`"))
        }
        "\n" | "" if statement.ends_with(" in") || statement.ends_with(" out") => {
            Some(format!("say what is placed there: `{statement} scale`, `{statement} normalize + scale`"))
        }
        quoted if quoted.len() > 2 && quoted.starts_with('"') && VERBS.contains(&statement) => {
            let value = quoted.trim_matches('"');
            Some(format!("a rule's value stands without quotes: `{statement} {value} on weight`"))
        }
        _ if statement == "import" => {
            Some("the path stands in double quotes: `import \"llama.svspec\"`".to_owned())
        }
        _ if statement.ends_with("= out") || statement.ends_with("= in") => {
            Some("a placement is written with `:`, such as `attn.q : out scale`".to_owned())
        }
        value
            if expects("a form such as `normalize` or `scale`")
                && value.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Some(
                "a setting is written with `=`; `:` is for placements, such as `attn.q : out scale`"
                    .to_owned(),
            )
        }
        ";" => Some("a statement ends with its line, or with `,`".to_owned()),
        "#" => Some("a comment starts with `//`".to_owned()),
        "." if expects("a value") => Some("a number starts with a digit: `0.5`".to_owned()),
        "*" if statement.ends_with('*') => Some("a power is written `^`".to_owned()),
        "'" if expects("a value") => Some("a text stands in double quotes".to_owned()),
        number if expects("a value") && number.starts_with(|c: char| c.is_ascii_digit()) => {
            Some("numbers are written `50_304`, `1e-5`, `2.5B`, `0.5M`, `3K`".to_owned())
        }
        "{" if expects("`=`") && statement.contains('.') => Some(format!(
            "braces are for declarations; a setting of a part that is declared already is written with its path: \
             `{statement}.theta = 10_000`"
        )),
        _ if expected == ["`on`"] && statement.ends_with(')') => {
            Some(format!("name what it gives: `y = {statement}`"))
        }
        _ if expected == ["`on`"] => Some(format!("say what the rule holds for: `{statement} on weight`")),
        _ if VERBS.iter().any(|verb| statement.strip_prefix(verb) == Some(" on")) => {
            Some("a rule says a value, then where it holds: `decay 0.1 on weight`".to_owned())
        }
        _ => None,
    }
}
