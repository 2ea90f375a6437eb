//! The terminal losses of an ablation's variants to a picture of who is better, and by how much more than the noise.

use super::axis::Axis;
use super::palette::{self, HAIR, INK, PAPER, QUIET};
use super::svg::{Element, Picture, text_width};

const WIDTH: f64 = 760.0;
const TOP: f64 = 84.0;
const ROW: f64 = 34.0;
const FOOT: f64 = 58.0;
/// Columns of figures on the right: loss, tokens per second, memory.
const FIGURES: [f64; 3] = [590.0, 668.0, 742.0];

/// One variant of an ablation.
#[derive(Clone, Debug, PartialEq)]
pub struct AblationRow {
    /// The variant's name.
    pub name: String,
    /// Mean terminal validation loss over the seeds, nats per token.
    pub loss_mean: f64,
    /// Its standard error; `None` for a single seed.
    pub loss_standard_error: Option<f64>,
    /// Tokens per second relative to the baseline.
    pub relative_speed: f64,
    /// Peak memory relative to the baseline.
    pub relative_memory: f64,
}

/// Draws one line per variant, the first being the baseline. Bars are one standard error to each side.
pub fn ablation(title: &str, note: &str, rows: &[AblationRow]) -> String {
    let bottom = TOP + ROW * rows.len() as f64;
    let left = 24.0 + rows.iter().map(|row| text_width(&row.name, 13.0)).fold(60.0, f64::max) + 14.0;
    let right = FIGURES[0] - 120.0;
    let loss = Axis::new(range(rows), (left + 10.0, right));
    let mut picture = Picture::new(WIDTH, bottom + FOOT);
    picture.add(Element::text(24.0, 28.0, 16.0, title).with("font-weight", "bold"));
    picture.add(Element::text(24.0, 48.0, 12.0, note).with("fill", QUIET));
    for (heading, x) in ["loss", "tokens/s", "memory"].into_iter().zip(FIGURES) {
        picture.add(Element::text(x, TOP - 10.0, 11.0, heading).ending().with("fill", QUIET));
    }
    for (value, label) in loss.ticks(4) {
        let x = loss.pixel(value);
        picture.add(Element::line((x, TOP), (x, bottom)).stroke(HAIR, 1.0));
        picture.add(Element::text(x, bottom + 16.0, 11.0, &label).centred().with("fill", QUIET));
    }
    if let Some(baseline) = rows.first().filter(|row| row.loss_mean.is_finite()) {
        let x = loss.pixel(baseline.loss_mean);
        picture.add(Element::line((x, TOP), (x, bottom)).stroke(QUIET, 1.4).with("stroke-dasharray", "5 4"));
    }
    picture.add(Element::line((left, bottom), (right + 10.0, bottom)).stroke(INK, 1.0));
    let middle = f64::midpoint(left, right);
    let caption = "terminal validation loss, nats per token (left is better)";
    picture.add(Element::text(middle, bottom + 38.0, 12.0, caption).centred());
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (index as f64 + 0.5);
        let colour = if index == 0 { INK } else { palette::run(0) };
        draw(&mut picture, &loss, row, y, colour);
    }
    picture.finish(title)
}

fn range(rows: &[AblationRow]) -> (f64, f64) {
    let ends = |row: &AblationRow| {
        let error = row.loss_standard_error.unwrap_or(0.0);
        [row.loss_mean - error, row.loss_mean + error]
    };
    let shown = || rows.iter().flat_map(ends).filter(|value| value.is_finite());
    let low = shown().fold(f64::INFINITY, f64::min).min(1e9);
    let high = shown().fold(f64::NEG_INFINITY, f64::max).max(low);
    let margin = (high - low) * 0.08;
    (low - margin, high + margin)
}

fn draw(picture: &mut Picture, loss: &Axis, row: &AblationRow, y: f64, colour: &str) {
    picture.add(Element::text(24.0, y + 4.0, 13.0, &row.name));
    let x = loss.pixel(row.loss_mean);
    let hint = format!("{}: {}", row.name, loss_text(row));
    if row.loss_mean.is_finite() {
        if let Some(error) = row.loss_standard_error {
            let (low, high) = (loss.pixel(row.loss_mean - error), loss.pixel(row.loss_mean + error));
            picture.add(Element::line((low, y), (high, y)).stroke(colour, 1.6));
            for end in [low, high] {
                picture.add(Element::line((end, y - 5.0), (end, y + 5.0)).stroke(colour, 1.6));
            }
        }
        picture.add(Element::circle((x, y), 5.0).with("fill", colour).stroke(PAPER, 1.2).hint(&hint));
    }
    let figures = [loss_text(row), relative(row.relative_speed), relative(row.relative_memory)];
    for (text, x) in figures.iter().zip(FIGURES) {
        picture.add(Element::text(x, y + 4.0, 12.0, text).ending());
    }
}

fn loss_text(row: &AblationRow) -> String {
    match (row.loss_mean.is_finite(), row.loss_standard_error) {
        (false, _) => "diverged".to_owned(),
        (true, None) => format!("{:.4}", row.loss_mean),
        (true, Some(error)) => format!("{:.4} ± {error:.4}", row.loss_mean),
    }
}

fn relative(factor: f64) -> String {
    if factor.is_finite() { format!("{factor:.2}×") } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, loss_mean: f64, error: f64, relative_speed: f64) -> AblationRow {
        let loss_standard_error = Some(error);
        AblationRow {
            name: name.into(),
            loss_mean,
            loss_standard_error,
            relative_speed,
            relative_memory: 1.01,
        }
    }

    #[test]
    fn variants_against_a_baseline() {
        let rows = [
            row("nano", 2.012, 0.004, 1.0),
            row("no_scales", 2.031, 0.006, 1.01),
            row("unified", 1.975, 0.003, 0.97),
        ];
        insta::assert_snapshot!(ablation("nano: scale vectors", "3 seeds, 600 steps", &rows));
    }

    #[test]
    fn a_diverged_variant_is_named_and_has_no_point() {
        let text = ablation("t", "n", &[row("nano", 2.0, 0.1, 1.0), row("wild", f64::NAN, 0.1, 1.0)]);
        assert!(text.contains("diverged") && !text.contains("NaN"), "{text}");
    }

    #[test]
    fn one_seed_has_no_bar() {
        let mut single = row("nano", 2.0, 0.1, 1.0);
        single.loss_standard_error = None;
        let text = ablation("t", "n", &[single]);
        assert!(text.contains(">2.0000<") && !text.contains('±'), "{text}");
    }
}
