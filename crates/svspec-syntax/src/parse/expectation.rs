//! Rules of the grammar to the words that a message uses for what may stand at a place.

use super::grammar::Rule;
use pest::error::{Error, ErrorVariant};

/// What ends a statement.
pub const LINE_END: &str = "the end of the line";

/// What may stand at the place of `error`, each thing once, in the grammar's order; the most telling ones where there
/// are many.
pub fn expected(error: &Error<Rule>) -> Vec<&'static str> {
    let positives = match &error.variant {
        ErrorVariant::ParsingError { positives, negatives: _ } => positives.as_slice(),
        ErrorVariant::CustomError { message: _ } => &[],
    };
    let mut expected = Vec::new();
    for words in positives.iter().filter_map(|&rule| words(rule)) {
        if !expected.contains(&words) {
            expected.push(words);
        }
    }
    // An expression, a path or a body may go on almost anywhere; that is not what was forgotten.
    if expected.contains(&LINE_END) {
        expected.retain(|words| !matches!(*words, LINE_END | "`,`" | "`}`" | "`on`"));
        expected.push(LINE_END);
    }
    if [LINE_END, "`on`", "`)`"].iter().any(|words| expected.contains(words)) {
        expected.retain(|words| !matches!(*words, "an operator" | "`.`" | "`(`" | "`{`"));
    }
    if expected.contains(&"`=`") {
        expected.retain(|words| !matches!(*words, "a value" | "a name"));
    }
    if expected.contains(&"a value") {
        expected.retain(|words| !matches!(*words, "a text in double quotes" | "a name" | "`(`"));
    }
    expected
}

/// What a user would write where `rule` may stand; `None` for what need not be said.
fn words(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::expr
        | Rule::rule_value
        | Rule::number
        | Rule::numeral
        | Rule::call
        | Rule::parentheses
        | Rule::record => Some("a value"),
        Rule::name | Rule::path | Rule::ident | Rule::part_name => Some("a name"),
        Rule::string => Some("a text in double quotes"),
        Rule::version => Some("the number of a version"),
        Rule::item | Rule::import | Rule::part_kind | Rule::model | Rule::variant => {
            Some("`import`, `part`, `model`, `variant`, `optimizer` or `train`")
        }
        Rule::statement
        | Rule::setting
        | Rule::layer
        | Rule::tensors
        | Rule::part
        | Rule::block
        | Rule::placement
        | Rule::rule_statement
        | Rule::optimizer
        | Rule::train => Some("a statement"),
        Rule::body | Rule::open_brace | Rule::name_set => Some("`{`"),
        Rule::close_brace => Some("`}`"),
        Rule::open_parenthesis | Rule::arguments | Rule::inputs => Some("`(`"),
        Rule::close_parenthesis => Some("`)`"),
        Rule::end_of_statement => Some(LINE_END),
        Rule::form | Rule::term => Some("a form such as `normalize` or `scale`"),
        Rule::port => Some("`in` or `out`"),
        Rule::selector => Some("a kind of parameter or a path"),
        Rule::condition => Some("a condition such as `role == input`"),
        Rule::sum | Rule::product | Rule::power => Some("an operator"),
        Rule::plus => Some("`+`"),
        Rule::comparison => Some("a comparison such as `==`"),
        Rule::equals => Some("`=`"),
        Rule::colon => Some("`:`"),
        Rule::comma => Some("`,`"),
        Rule::dot => Some("`.`"),
        Rule::kw_svspec | Rule::version_line => Some("`svspec 1`"),
        Rule::kw_import => Some("`import`"),
        Rule::kw_part => Some("`part`"),
        Rule::kw_model => Some("`model`"),
        Rule::kw_variant => Some("`variant`"),
        Rule::kw_of => Some("`of`"),
        Rule::kw_with | Rule::with => Some("`with`"),
        Rule::kw_optimizer => Some("`optimizer`"),
        Rule::kw_train => Some("`train`"),
        Rule::kw_layer => Some("`layer`"),
        Rule::kw_tensors => Some("`tensors`"),
        Rule::kw_on => Some("`on`"),
        Rule::kw_where => Some("`where`"),
        Rule::kw_and => Some("`and`"),
        // A sign or a unit may stand almost anywhere a value does.
        Rule::negation
        | Rule::unit
        | Rule::kw_not
        // Not tokens, or never missed.
        | Rule::EOI
        | Rule::WHITESPACE
        | Rule::COMMENT
        | Rule::nl
        | Rule::block_head
        | Rule::rule_atom
        | Rule::atom
        | Rule::digits
        | Rule::exponent
        | Rule::magnitude
        | Rule::word_char => None,
    }
}

/// `a`, `a or b`, `a, b or c`.
pub fn any_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
