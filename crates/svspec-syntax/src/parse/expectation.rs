//! Rules of the grammar to the words that a message uses for what may stand at a place.

use super::grammar::Rule;

/// What a user would write where `rule` may stand; `None` for what need not be said.
pub fn words(rule: Rule) -> Option<&'static str> {
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
        Rule::item | Rule::import | Rule::model | Rule::variant => {
            Some("`import`, `model`, `variant`, `optimizer` or `train`")
        }
        Rule::statement
        | Rule::setting
        | Rule::layer
        | Rule::part
        | Rule::block
        | Rule::placement
        | Rule::rule_statement
        | Rule::optimizer
        | Rule::train => Some("a statement"),
        Rule::body | Rule::open_brace | Rule::name_set => Some("`{`"),
        Rule::close_brace => Some("`}`"),
        Rule::open_parenthesis | Rule::arguments => Some("`(`"),
        Rule::close_parenthesis => Some("`)`"),
        Rule::end_of_statement => Some("the end of the line"),
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
        Rule::kw_model => Some("`model`"),
        Rule::kw_variant => Some("`variant`"),
        Rule::kw_of => Some("`of`"),
        Rule::kw_with | Rule::with => Some("`with`"),
        Rule::kw_optimizer => Some("`optimizer`"),
        Rule::kw_train => Some("`train`"),
        Rule::kw_layer => Some("`layer`"),
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
