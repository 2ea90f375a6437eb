//! The operators and functions of numbers: arguments in, value out.

pub use svspec_syntax::ast::Operator;

/// The functions, with the names of the arguments that each takes.
pub const FUNCTIONS: [(&str, &[&str]); 8] = [
    ("sqrt", &["x"]),
    ("floor", &["x"]),
    ("ceil", &["x"]),
    ("round", &["x"]),
    ("exp", &["x"]),
    ("log", &["x"]),
    ("min", &["x", "y"]),
    ("max", &["x", "y"]),
];

/// The value of a function; `None` if it does not exist, or takes another number of arguments.
pub fn call(name: &str, values: &[f64]) -> Option<f64> {
    match (name, values) {
        ("sqrt", [x]) => Some(x.sqrt()),
        ("floor", [x]) => Some(x.floor()),
        ("ceil", [x]) => Some(x.ceil()),
        ("round", [x]) => Some(x.round()),
        ("exp", [x]) => Some(x.exp()),
        ("log", [x]) => Some(x.ln()),
        ("min", [x, y]) => Some(x.min(*y)),
        ("max", [x, y]) => Some(x.max(*y)),
        _ => None,
    }
}

/// `left operator right`.
pub fn operate(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Power => left.powf(right),
    }
}
