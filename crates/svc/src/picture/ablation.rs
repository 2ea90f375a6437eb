//! The losses of an ablation's variants, as differences from the baseline's that are paired by seed, to a picture of who is better
//! and of what is noise.

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
    /// To the baseline; `None` of the baseline itself, and where a run of either diverged.
    pub difference: Option<AblationDifference>,
    /// Tokens per second relative to the baseline.
    pub relative_speed: f64,
    /// Peak memory relative to the baseline.
    pub relative_memory: f64,
}

/// A variant's loss minus the baseline's of the same seed, nats per token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AblationDifference {
    /// Over the seeds.
    pub mean: f64,
    /// Half of its 95 % interval; `None` for a single seed.
    pub half_interval: Option<f64>,
    /// What may be said of it.
    pub verdict: Verdict,
}

/// What a difference allows to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing, of a single seed.
    Untested,
    /// It was not told from noise.
    Noise,
    /// The loss is lower than the baseline's.
    Lower,
    /// It is higher.
    Higher,
}

/// Draws one line per variant, the first being the baseline. Bars are 95 % intervals; a point is hollow where the difference was
/// not told from noise.
pub fn ablation(title: &str, note: &str, rows: &[AblationRow]) -> String {
    let bottom = TOP + ROW * rows.len() as f64;
    let left = 24.0 + rows.iter().map(|row| text_width(&row.name, 13.0)).fold(60.0, f64::max) + 14.0;
    let right = FIGURES[0] - 120.0;
    let axis = Axis::new(range(rows), (left + 10.0, right));
    let mut picture = Picture::new(WIDTH, bottom + FOOT);
    picture.add(Element::text(24.0, 28.0, 16.0, title).with("font-weight", "bold"));
    picture.add(Element::text(24.0, 48.0, 12.0, &format!("{note}{}", key(rows))).with("fill", QUIET));
    for (heading, x) in ["loss", "tokens/s", "memory"].into_iter().zip(FIGURES) {
        picture.add(Element::text(x, TOP - 10.0, 11.0, heading).ending().with("fill", QUIET));
    }
    for (value, label) in axis.ticks(5) {
        let x = axis.pixel(value);
        picture.add(Element::line((x, TOP), (x, bottom)).stroke(HAIR, 1.0));
        picture.add(Element::text(x, bottom + 16.0, 11.0, &label).centred().with("fill", QUIET));
    }
    let zero = axis.pixel(0.0);
    picture
        .add(Element::line((zero, TOP), (zero, bottom)).stroke(QUIET, 1.4).with("stroke-dasharray", "5 4"));
    picture.add(Element::line((left, bottom), (right + 10.0, bottom)).stroke(INK, 1.0));
    let middle = f64::midpoint(left, right);
    let caption = "loss minus the baseline's, nats per token (left is better)";
    picture.add(Element::text(middle, bottom + 38.0, 12.0, caption).centred());
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (index as f64 + 0.5);
        if index == 0 && row.loss_mean.is_finite() {
            picture.add(Element::circle((zero, y), 5.0).with("fill", INK).stroke(PAPER, 1.2));
        }
        draw(&mut picture, &axis, row, y);
    }
    picture.finish(title)
}

/// What bars and points mean, of those that there are.
fn key(rows: &[AblationRow]) -> &'static str {
    let has_intervals =
        rows.iter().filter_map(|row| row.difference).any(|difference| difference.half_interval.is_some());
    if has_intervals {
        "; paired by seed, bars are 95 % intervals, hollow points were not told from noise"
    } else {
        "; nothing can be told from noise"
    }
}

fn range(rows: &[AblationRow]) -> (f64, f64) {
    let ends = |difference: AblationDifference| {
        let half = difference.half_interval.unwrap_or(0.0);
        [difference.mean - half, difference.mean + half]
    };
    let shown = || rows.iter().filter_map(|row| row.difference).flat_map(ends).filter(|end| end.is_finite());
    let low = shown().fold(0.0, f64::min);
    let high = shown().fold(0.0, f64::max);
    let margin = (high - low) * 0.08;
    (low - margin, high + margin)
}

fn draw(picture: &mut Picture, axis: &Axis, row: &AblationRow, y: f64) {
    picture.add(Element::text(24.0, y + 4.0, 13.0, &row.name));
    if let Some(AblationDifference { mean, half_interval, verdict }) = row.difference {
        let (colour, is_told) = match verdict {
            Verdict::Lower => (palette::run(0), true),
            Verdict::Higher => (palette::run(1), true),
            Verdict::Noise | Verdict::Untested => (QUIET, false),
        };
        if let Some(half) = half_interval {
            let (low, high) = (axis.pixel(mean - half), axis.pixel(mean + half));
            picture.add(Element::line((low, y), (high, y)).stroke(colour, 1.6));
            for end in [low, high] {
                picture.add(Element::line((end, y - 5.0), (end, y + 5.0)).stroke(colour, 1.6));
            }
        }
        let (fill, outline) = if is_told { (colour, PAPER) } else { (PAPER, colour) };
        let interval = half_interval.map_or(String::new(), |half| format!(" ± {half:.4}"));
        let point = Element::circle((axis.pixel(mean), y), 5.0).with("fill", fill).stroke(outline, 1.4);
        picture.add(point.hint(&format!("{}: {mean:+.4}{interval}", row.name)));
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

    fn row(name: &str, loss_mean: f64, difference: Option<(f64, Option<f64>, Verdict)>) -> AblationRow {
        AblationRow {
            name: name.into(),
            loss_mean,
            loss_standard_error: difference.map_or(Some(0.004), |(_, half, _)| half),
            difference: difference.map(|(mean, half_interval, verdict)| AblationDifference {
                mean,
                half_interval,
                verdict,
            }),
            relative_speed: 0.98,
            relative_memory: 1.01,
        }
    }

    #[test]
    fn variants_against_a_baseline() {
        let rows = [
            row("nano", 2.012, None),
            row("no_scales", 2.031, Some((0.019, Some(0.006), Verdict::Higher))),
            row("or", 2.015, Some((0.003, Some(0.008), Verdict::Noise))),
            row("unified", 1.975, Some((-0.037, Some(0.012), Verdict::Lower))),
        ];
        insta::assert_snapshot!(ablation("nano: scale vectors", "3 seeds, 600 steps", &rows));
    }

    #[test]
    fn a_diverged_variant_is_named_and_has_no_point() {
        let text = ablation("t", "n", &[row("nano", 2.0, None), row("wild", f64::NAN, None)]);
        assert!(text.contains("diverged") && !text.contains("NaN"), "{text}");
        assert_eq!(text.matches("<circle").count(), 1, "{text}");
    }

    #[test]
    fn one_seed_has_no_bar_and_tells_nothing() {
        let rows = [row("nano", 2.0, None), row("hg", 1.9, Some((-0.1, None, Verdict::Untested)))];
        let text = ablation("t", "n", &rows);
        assert!(text.contains(">1.9000<") && text.contains("nothing can be told from noise"), "{text}");
    }
}
