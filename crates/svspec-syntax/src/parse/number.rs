//! A written number to its value and unit.

use super::grammar::Rule;
use super::token::{child, only};
use crate::ast::{Number, Unit};
use pest::iterators::Pair;
use svspec_diagnostics::{Diagnostic, Span};

/// The number that `pair`, which covers `span`, states.
pub fn number(pair: &Pair<'_, Rule>, span: Span, faults: &mut Vec<Diagnostic>) -> Number {
    let text = only(pair, Rule::numeral).as_str().to_owned();
    let unit = child(pair, Rule::unit).map(|unit| match unit.as_str() {
        "tokens" => Unit::Tokens,
        "steps" => Unit::Steps,
        _ => Unit::Percent,
    });
    let value = value(&text, unit);
    if !value.is_finite() {
        faults.push(
            Diagnostic::error(
                "too-large",
                format!("`{text}` is larger than any number that can be computed with"),
            )
            .at(span, "at most about 1.8e308"),
        );
    }
    Number { text, value, unit }
}

/// Rounded once: `2.3B` is read as `2.3e9`, not as `2.3` times a billion.
fn value(text: &str, unit: Option<Unit>) -> f64 {
    let digits = text.replace('_', "");
    let (digits, mut exponent) = match digits.char_indices().last() {
        Some((at, 'K')) => (digits.get(..at).unwrap_or(""), 3),
        Some((at, 'M')) => (digits.get(..at).unwrap_or(""), 6),
        Some((at, 'B')) => (digits.get(..at).unwrap_or(""), 9),
        Some(_) | None => (digits.as_str(), 0),
    };
    if unit == Some(Unit::Percent) {
        exponent -= 2;
    }
    let (mantissa, written) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = written.parse::<i32>().map_or(i32::MAX, |written| written.saturating_add(exponent));
    format!("{mantissa}e{exponent}").parse().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::value;
    use crate::ast::Unit;

    #[test]
    #[expect(clippy::float_cmp, reason = "the values are exact")]
    fn suffixes_and_units_are_multiplied_in() {
        assert_eq!(value("50_304", None), 50_304.0);
        assert_eq!(value("2.3B", Some(Unit::Tokens)), 2_300_000_000.0);
        assert_eq!(value("0.5M", None), 500_000.0);
        assert_eq!(value("3K", None), 3000.0);
        assert_eq!(value("1e-5", None), 0.000_01);
        assert_eq!(value("1.5E+3", None), 1500.0);
        assert_eq!(value("7", Some(Unit::Percent)), 0.07);
        assert_eq!(value("1e999", None), f64::INFINITY);
        assert_eq!(value("1e99999999999999999999", None), f64::INFINITY);
    }
}
