//! A range of values to round tick marks and to pixels.

/// A straight map from values to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    values: (f64, f64),
    pixels: (f64, f64),
}

impl Axis {
    /// `values.0` is drawn at `pixels.0`, `values.1` at `pixels.1`. An empty range is widened, so that nothing divides
    /// by zero.
    pub fn new(values: (f64, f64), pixels: (f64, f64)) -> Self {
        let (low, high) = values;
        let spread = if high - low > f64::EPSILON * high.abs().max(1.0) { 0.0 } else { 0.5 };
        Self { values: (low - spread, high + spread), pixels }
    }

    /// Where `value` is drawn; what lies outside is drawn at the edge.
    pub fn pixel(&self, value: f64) -> f64 {
        let share = ((value - self.values.0) / (self.values.1 - self.values.0)).clamp(0.0, 1.0);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// About `count` round values within the range, each with its label.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let (low, high) = self.values;
        let step = round_step((high - low) / count.max(1) as f64);
        let first = (low / step).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        (first..=last).map(|index| index as f64 * step).map(|value| (value, label(value, step))).collect()
    }
}

/// The next of 1, 2, 5 times a power of ten at or above `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powi(step.log10().floor() as i32);
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&round| round >= step * 0.999)
        .unwrap_or(step)
}

/// As many decimals as the step needs; thousands and more are set apart.
fn label(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if value.abs() < 10_000.0 { text } else { grouped(&text) }
}

/// `12000` as `12,000`.
pub fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_range() {
        let labels = |range, count| {
            Axis::new(range, (0.0, 1.0)).ticks(count).into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels((0.0, 600.0), 6), ["0", "100", "200", "300", "400", "500", "600"]);
        assert_eq!(labels((1.93, 2.02), 4), ["1.95", "2.00"]);
        assert_eq!(labels((0.0, 50_000.0), 5), ["0", "10,000", "20,000", "30,000", "40,000", "50,000"]);
    }

    #[test]
    fn a_single_value_is_drawn_in_the_middle() {
        assert!((Axis::new((3.0, 3.0), (0.0, 100.0)).pixel(3.0) - 50.0).abs() < 1e-9);
    }
}
