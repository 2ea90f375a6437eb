//! Numbers to literals as a person would type them: `50_304`, `1e-5`, `10_000.0`.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use std::str::FromStr;

/// An integer literal without a suffix.
pub fn integer(value: u64) -> TokenStream {
    number(&grouped(&value.to_string()))
}

/// A float literal that reads back to the same bits.
pub fn float(value: f64) -> TokenStream {
    if value.is_nan() {
        return quote!(f64::NAN);
    }
    if value.is_infinite() {
        return if value > 0.0 { quote!(f64::INFINITY) } else { quote!(f64::NEG_INFINITY) };
    }
    number(&float_text(value))
}

/// `Some(value)` or `None`.
pub fn optional(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

/// A float as [`float`] writes it.
pub fn float_text(value: f64) -> String {
    let text = format!("{value:?}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let whole_len = digits.find(['.', 'e']).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(whole_len);
    format!("{sign}{}{rest}", grouped(whole))
}

fn number(text: &str) -> TokenStream {
    let literal = Literal::from_str(text).expect("digits, a point and an exponent are a literal");
    quote!(#literal)
}

/// Underscores between groups of three, from five digits on.
pub fn grouped(digits: &str) -> String {
    if digits.len() < 5 {
        return digits.to_owned();
    }
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{float_text, grouped};

    #[test]
    fn numbers_read_as_typed() {
        assert_eq!(grouped("1024"), "1024");
        assert_eq!(grouped("50304"), "50_304");
        assert_eq!(grouped("1028065024"), "1_028_065_024");
        assert_eq!(float_text(1e-5), "1e-5");
        assert_eq!(float_text(-10_000.0), "-10_000.0");
        assert_eq!(float_text(0.25), "0.25");
        assert_eq!(float_text(5e20), "5e20");
    }
}
