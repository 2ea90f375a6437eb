//! Numbers as people read them.

/// `1,028,065,024`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The shortest text of a number as it was meant: `0.1`, `1e-5`, `10000`, `2.5e9`. It has at most twelve significant
/// digits: `0.1 * 3 / 5` is `0.06`.
pub fn shortest(number: f64) -> String {
    let number: f64 = format!("{number:.11e}").parse().unwrap_or(number);
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

/// Four significant digits: `0.1768`, `1.234e-5`.
pub fn rounded(number: f64) -> String {
    let text = format!("{number:.3e}");
    shortest(text.parse().unwrap_or(number))
}

/// `512 B`, `1.50 KiB`, `3.21 GiB`
pub fn bytes(number: f64) -> String {
    scaled(number, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
}

/// `812`, `1.50 K`, `3.21 M`, `6.17 G`
pub fn si(number: f64) -> String {
    scaled(number, 1000.0, &["", " K", " M", " G", " T", " P", " E"])
}

fn scaled(number: f64, step: f64, units: &[&str]) -> String {
    let mut value = number;
    let mut units = units.iter().peekable();
    let mut unit = units.next().copied().unwrap_or("");
    let is_whole = value.abs() < step;
    while value.abs() >= step && units.peek().is_some() {
        value /= step;
        unit = units.next().copied().unwrap_or("");
    }
    if is_whole { format!("{value:.0}{unit}") } else { format!("{value:.2}{unit}") }
}

/// The change from `before` to `after`: `+1.2 %`, `-0.03 %`; `same` where there is none.
pub fn relative(before: f64, after: f64) -> String {
    if before.total_cmp(&after).is_eq() {
        return "same".to_owned();
    }
    if before == 0.0 {
        return "new".to_owned();
    }
    let percent = 100.0 * (after - before) / before;
    let decimals = if percent.abs() >= 10.0 {
        0
    } else if percent.abs() >= 0.1 {
        1
    } else if percent.abs() >= 0.001 {
        3
    } else {
        6
    };
    format!("{percent:+.decimals$} %")
}

#[cfg(test)]
mod tests {
    use super::{bytes, grouped, relative, rounded, shortest, si};

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_028_065_024), "1,028,065,024");
    }

    #[test]
    fn small_and_large_numbers_are_written_with_an_exponent() {
        assert_eq!(shortest(0.0), "0");
        assert_eq!(shortest(1e-5), "1e-5");
        assert_eq!(shortest(0.003), "0.003");
        assert_eq!(shortest(10_000.0), "10000");
        assert_eq!(shortest(0.1 * 3.0 / 5.0), "0.06");
        assert_eq!(shortest(1.0 / 3.0), "0.333333333333");
        assert_eq!(rounded(1.0 / 32_f64.sqrt()), "0.1768");
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(1536.0), "1.50 KiB");
        assert_eq!(si(6_170_000_000.0), "6.17 G");
    }

    #[test]
    fn change_keeps_enough_digits_to_be_seen() {
        assert_eq!(relative(100.0, 100.0), "same");
        assert_eq!(relative(0.0, 3.0), "new");
        assert_eq!(relative(100.0, 112.0), "+12 %");
        assert_eq!(relative(1_000_000.0, 1_000_080.0), "+0.008 %");
    }
}
