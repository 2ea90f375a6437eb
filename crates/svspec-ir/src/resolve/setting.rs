//! One setting's value in; a whole number, a number in its range, a word or a switch out, or a diagnostic.

use super::number::Scope;
use crate::lower::part::Range;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind};

/// No dimension, and no number of tokens in a batch, is larger; far above every model there is, far below overflow.
pub const LARGEST_COUNT: f64 = 4_194_304.0;

/// A whole number from 1 to `largest`. `what` names the setting in messages.
pub fn count(scope: &mut Scope<'_>, what: &str, expr: &Expr, largest: f64) -> Option<usize> {
    let value = scope.number(expr)?;
    whole(scope, what, value, expr.span, largest)
}

/// Checks that a value is a whole number from 1 to `largest`.
pub fn whole(scope: &mut Scope<'_>, what: &str, value: f64, span: Span, largest: f64) -> Option<usize> {
    if value < 1.0 {
        scope.findings.push(
            Diagnostic::error("out-of-range", format!("`{what}` is {}; it is at least 1", plain(value)))
                .at(span, "too small")
                .help("write a whole number from 1 on"),
        );
        return None;
    }
    whole_from_zero(scope, what, value, span, largest)
}

/// Checks that a value is a whole number from 0 to `largest`.
pub fn whole_from_zero(
    scope: &mut Scope<'_>,
    what: &str,
    value: f64,
    span: Span,
    largest: f64,
) -> Option<usize> {
    if value < 0.0 {
        scope.findings.push(
            Diagnostic::error("out-of-range", format!("`{what}` is {}; it is at least 0", plain(value)))
                .at(span, "too small")
                .help(format!("write a whole number from 0 on, such as `{what} = 2`")),
        );
        return None;
    }
    if value.fract() != 0.0 {
        let quoted = scope.quote(span);
        let message = if quoted == plain(value) {
            format!("`{what}` is {}, not a whole number", plain(value))
        } else {
            format!("`{what}` is `{quoted}` = {}, not a whole number", plain(value))
        };
        scope.findings.push(
            Diagnostic::error("not-a-whole-number", message).at(span, "has a fraction").help(format!(
                "round it: `floor({quoted})` is {}, `ceil({quoted})` is {}",
                plain(value.floor()),
                plain(value.ceil())
            )),
        );
        return None;
    }
    if value > largest {
        scope.findings.push(
            Diagnostic::error(
                "too-large",
                format!("`{what}` is {}; the largest is {}", plain(value), plain(largest)),
            )
            .at(span, "too large")
            .help("check the digits and the suffix: `K` is a thousand, `M` a million, `B` a billion"),
        );
        return None;
    }
    Some(value as usize)
}

/// A number within a range.
pub fn real(scope: &mut Scope<'_>, what: &str, expr: &Expr, range: Range) -> Option<f64> {
    let value = scope.number(expr)?;
    within(scope, what, value, expr.span, range)
}

/// Checks that a value lies in a range.
pub fn within(scope: &mut Scope<'_>, what: &str, value: f64, span: Span, range: Range) -> Option<f64> {
    let (holds, words) = match range {
        Range::Any => (true, "any number"),
        Range::Positive => (value > 0.0, "greater than 0"),
        Range::NotZero => (value != 0.0, "other than 0"),
        Range::NotNegative => (value >= 0.0, "0 or greater"),
        Range::Fraction => (value > 0.0 && value <= 1.0, "greater than 0 and at most 1"),
        Range::BelowOne => ((0.0..1.0).contains(&value), "from 0 to below 1"),
        Range::UpToOne => ((0.0..=1.0).contains(&value), "from 0 to 1"),
    };
    if holds {
        return Some(value);
    }
    scope.findings.push(
        Diagnostic::error("out-of-range", format!("`{what}` is {}; it is {words}", plain(value)))
            .at(span, "out of range")
            .help(format!("write a number {words}")),
    );
    None
}

/// One number or several between parentheses, each within a range.
pub fn numbers(scope: &mut Scope<'_>, what: &str, expr: &Expr, range: Range) -> Option<Vec<f64>> {
    let items = match &expr.kind {
        ExprKind::Tuple(items) => items.as_slice(),
        ExprKind::Group(inner) => std::slice::from_ref(inner.as_ref()),
        ExprKind::Number(_)
        | ExprKind::Name(_)
        | ExprKind::Call { .. }
        | ExprKind::String(_)
        | ExprKind::Record { .. }
        | ExprKind::Negate(_)
        | ExprKind::Binary { .. } => {
            scope.findings.push(
                Diagnostic::error(
                    "unknown-value",
                    format!("`{what}` is a list of numbers, not `{}`", scope.quote(expr.span)),
                )
                .at(expr.span, "not a list")
                .help("write them between parentheses, such as `(1, 1.5, 2)`"),
            );
            return None;
        }
    };
    let values: Vec<Option<f64>> = items.iter().map(|item| real(scope, what, item, range)).collect();
    values.into_iter().collect()
}

/// One of `words`, as the value of the setting `what`.
pub fn word(scope: &mut Scope<'_>, what: &str, expr: &Expr, words: &[&'static str]) -> Option<&'static str> {
    word_after(scope, what, &format!("{what} ="), expr, words)
}

/// One of `words`; what is written before it where it is right is `lead`, such as `role ==`.
pub fn word_after(
    scope: &mut Scope<'_>,
    what: &str,
    lead: &str,
    expr: &Expr,
    words: &[&'static str],
) -> Option<&'static str> {
    let given = bare_word(expr);
    if let Some(found) = words.iter().find(|word| Some(**word) == given.as_deref()) {
        return Some(found);
    }
    let message =
        format!("`{what}` is {}, not `{}`", super::list(words).replace(", ", " or "), scope.quote(expr.span));
    let mut finding = Diagnostic::error("unknown-value", message).at(expr.span, "unknown here");
    if let Some(help) = without_quotes(expr, lead, words) {
        scope.findings.push(finding.help(help));
        return None;
    }
    let text = given.as_deref().or(text(expr));
    let close = text.and_then(|text| did_you_mean(text, words.iter().copied()));
    if let Some(close) = close {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    let meant = close.or(words.first().copied()).unwrap_or_default();
    scope.findings.push(finding.help(format!("write `{}`", format!("{lead} {meant}").trim_start())));
    None
}

/// What to write in place of one of `words` in quotes; `lead` is what stands before it.
pub fn without_quotes(expr: &Expr, lead: &str, words: &[&str]) -> Option<String> {
    let text = text(expr).filter(|text| words.contains(text))?;
    Some(format!("write it without quotes: `{}`", format!("{lead} {text}").trim_start()))
}

/// What stands between quotes.
fn text(expr: &Expr) -> Option<&str> {
    if let ExprKind::String(text) = &expr.kind { Some(text) } else { None }
}

/// That the setting `what` names a part; which one the equations find out.
pub fn part_name(scope: &mut Scope<'_>, what: &str, expr: &Expr) {
    if bare_word(expr).is_some() {
        return;
    }
    let message = format!("`{what}` is the name of a part, not `{}`", scope.quote(expr.span));
    let help = match text(expr) {
        Some(name) => format!("write it without quotes: `{what} = {name}`"),
        None => format!("declare a part, such as `swiglu ffn {{ hidden = … }}`, and write `{what} = ffn`"),
    };
    scope.findings.push(Diagnostic::error("unknown-value", message).at(expr.span, "not a name").help(help));
}

/// Whether the value is one of the words that mean "not there".
pub fn is_none(expr: &Expr) -> bool {
    matches!(bare_word(expr).as_deref(), Some("none" | "off"))
}

/// The single word that an expression is, if it is one.
pub fn bare_word(expr: &Expr) -> Option<String> {
    if let ExprKind::Name(path) = &expr.kind { super::path::single(path).map(|(name, _)| name) } else { None }
}

/// A number as a person writes it: no exponent for whole numbers, grouped digits from five digits on,
/// and at most four decimals where the number is not small.
pub fn plain(value: f64) -> String {
    if value.fract() != 0.0 && (1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.4}").trim_end_matches('0').to_owned();
    }
    if value.fract() != 0.0 || value.abs() >= 1e15 {
        return value.to_string();
    }
    let digits = format!("{:.0}", value.abs());
    let sign = if value < 0.0 { "-" } else { "" };
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let head = digits.len() % 3;
    let grouped = digits.char_indices().fold(String::new(), |mut text, (index, digit)| {
        if index > 0 && index % 3 == head {
            text.push('_');
        }
        text.push(digit);
        text
    });
    format!("{sign}{grouped}")
}
