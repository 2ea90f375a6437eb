//! The losses of one or several runs to a picture of how they fell.

use super::axis::Axis;
use super::palette::{self, HAIR, INK, QUIET};
use super::svg::{Element, Picture, text_width};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = HEIGHT - 52.0;

/// A run is drawn with at most this many points; more would only make the file larger.
const MAX_POINTS: usize = 400;

/// One run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// Training loss: (step, nats per token), by rising step.
    pub train: Vec<(f64, f64)>,
    /// Validation loss: (step, nats per token), by rising step.
    pub validation: Vec<(f64, f64)>,
}

/// Draws `series` over the steps: the raw training loss faint, its running mean strong, validation losses as points.
/// `unigram_entropy` (nats) is what a model reaches that knows nothing but how often each token occurs.
pub fn loss_curve(title: &str, series: &[Series], unigram_entropy: Option<f64>) -> String {
    let mut picture = Picture::new(WIDTH, HEIGHT);
    let axes = axes(series, unigram_entropy);
    frame(&mut picture, title, &axes);
    if let Some(entropy) = unigram_entropy {
        let y = axes.loss.pixel(entropy);
        picture.add(Element::line((LEFT, y), (RIGHT, y)).stroke(QUIET, 1.2).with("stroke-dasharray", "6 4"));
        let note = format!("unigram entropy {entropy:.2}");
        picture.add(Element::text(RIGHT, y - 6.0, 11.0, &note).ending().with("fill", QUIET));
    }
    for (index, run) in series.iter().enumerate() {
        draw(&mut picture, &axes, run, palette::run(index));
    }
    legend(&mut picture, series);
    picture.finish(title)
}

struct Axes {
    step: Axis,
    loss: Axis,
}

fn axes(series: &[Series], unigram_entropy: Option<f64>) -> Axes {
    let finite = |points: &[(f64, f64)]| {
        points.iter().copied().filter(|(step, loss)| step.is_finite() && loss.is_finite()).collect::<Vec<_>>()
    };
    let shown: Vec<(f64, f64)> =
        series.iter().flat_map(|run| [finite(&run.train), finite(&run.validation)].concat()).collect();
    let last_step = shown.iter().map(|(step, _)| *step).fold(1.0, f64::max);
    let losses = || shown.iter().map(|(_, loss)| *loss).chain(unigram_entropy);
    let low = losses().fold(f64::INFINITY, f64::min).min(1e9);
    let high = losses().fold(f64::NEG_INFINITY, f64::max).max(low);
    let margin = (high - low) * 0.06;
    Axes {
        step: Axis::new((0.0, last_step), (LEFT, RIGHT)),
        loss: Axis::new(((low - margin).max(0.0), high + margin), (BOTTOM, TOP)),
    }
}

fn frame(picture: &mut Picture, title: &str, axes: &Axes) {
    picture.add(Element::text(LEFT, 28.0, 16.0, title).with("font-weight", "bold"));
    for (value, label) in axes.loss.ticks(6) {
        let y = axes.loss.pixel(value);
        picture.add(Element::line((LEFT, y), (RIGHT, y)).stroke(HAIR, 1.0));
        picture.add(Element::text(LEFT - 8.0, y + 4.0, 11.0, &label).ending().with("fill", QUIET));
    }
    for (value, label) in axes.step.ticks(8) {
        let x = axes.step.pixel(value);
        picture.add(Element::line((x, BOTTOM), (x, BOTTOM + 5.0)).stroke(INK, 1.0));
        picture.add(Element::text(x, BOTTOM + 19.0, 11.0, &label).centred().with("fill", QUIET));
    }
    picture.add(Element::line((LEFT, BOTTOM), (RIGHT, BOTTOM)).stroke(INK, 1.0));
    let middle = f64::midpoint(LEFT, RIGHT);
    picture.add(Element::text(middle, HEIGHT - 12.0, 12.0, "optimizer step").centred());
    let (x, y) = (18.0, f64::midpoint(TOP, BOTTOM));
    let turned = format!("rotate(-90 {x} {y})");
    picture.add(Element::text(x, y, 12.0, "loss, nats per token").centred().with("transform", &turned));
}

fn draw(picture: &mut Picture, axes: &Axes, run: &Series, colour: &str) {
    let place = |(step, loss): &(f64, f64)| (axes.step.pixel(*step), axes.loss.pixel(*loss));
    let raw: Vec<(f64, f64)> = thinned(&run.train).iter().map(place).collect();
    let smooth: Vec<(f64, f64)> = thinned(&running_mean(&run.train)).iter().map(place).collect();
    if raw.len() > 1 {
        picture.add(Element::polyline(&raw).stroke(colour, 1.0).with("opacity", "0.28"));
        picture.add(Element::polyline(&smooth).stroke(colour, 2.0).with("stroke-linejoin", "round"));
    }
    for point in run.validation.iter().filter(|(_, loss)| loss.is_finite()) {
        let hint = format!("{}: validation loss {:.4} at step {}", run.name, point.1, point.0);
        let circle = Element::circle(place(point), 4.0).with("fill", palette::PAPER).stroke(colour, 2.0);
        picture.add(circle.hint(&hint));
    }
}

/// The mean over a window that reaches back a fiftieth of the run, five steps at least; breaks of the loss stay where they are.
fn running_mean(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let window = (points.len() / 50).max(5);
    let finite: Vec<(f64, f64)> = points.iter().copied().filter(|(_, loss)| loss.is_finite()).collect();
    (1..=finite.len())
        .filter_map(|end| {
            let recent = finite.get(end.saturating_sub(window)..end)?;
            let mean = recent.iter().map(|(_, loss)| loss).sum::<f64>() / recent.len() as f64;
            recent.last().map(|(step, _)| (*step, mean))
        })
        .collect()
}

/// Every so many-th point, the last one always.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(MAX_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let kept = |index: usize| index.is_multiple_of(stride) || index == last;
    let finite = |(_, loss): &(f64, f64)| loss.is_finite();
    points
        .iter()
        .copied()
        .enumerate()
        .filter(|(i, p)| kept(*i) && finite(p))
        .map(|(_, point)| point)
        .collect()
}

/// One run names its line and its points; of several, each is named once, with the loss it ended at.
fn legend(picture: &mut Picture, series: &[Series]) {
    let mut x = LEFT;
    for (index, run) in series.iter().enumerate() {
        let colour = palette::run(index);
        let end =
            run.validation.last().map_or_else(String::new, |(_, loss)| format!(", {loss:.3} at the end"));
        if series.len() > 1 {
            x = entry(
                picture,
                x,
                Element::line((x, 46.0), (x + 18.0, 46.0)),
                colour,
                &format!("{}{end}", run.name),
            );
            continue;
        }
        x = entry(picture, x, Element::line((x, 46.0), (x + 18.0, 46.0)), colour, "training");
        if !end.is_empty() {
            entry(picture, x, Element::circle((x + 9.0, 46.0), 4.0), colour, &format!("validation{end}"));
        }
    }
}

/// Draws a mark and its name; returns where the next one starts.
fn entry(picture: &mut Picture, x: f64, mark: Element, colour: &str, name: &str) -> f64 {
    picture.add(mark.with("fill", palette::PAPER).stroke(colour, 2.0));
    picture.add(Element::text(x + 24.0, 50.0, 12.0, name));
    x + 24.0 + text_width(name, 12.0) + 18.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loss that falls from 5.5 to about 2 with a ripple; the arithmetic is exact enough to pin bytes.
    fn falling() -> Series {
        let train =
            (1..=60).map(|step| (f64::from(step), 2.0 + 35.0 / (f64::from(step) + 9.0) + ripple(step)));
        let validation =
            [12, 24, 36, 48, 60].map(|step| (f64::from(step), 2.05 + 35.0 / (f64::from(step) + 9.0)));
        Series { name: "nano".into(), train: train.collect(), validation: validation.into() }
    }

    fn ripple(step: u32) -> f64 {
        f64::from(step * 7919 % 13) / 40.0 - 0.15
    }

    #[test]
    fn a_run() {
        insta::assert_snapshot!(loss_curve("nano, seed 0", &[falling()], Some(4.2)));
    }

    #[test]
    fn nothing_to_draw_is_still_a_picture() {
        let text = loss_curve("empty", &[Series::default()], None);
        assert!(text.ends_with("</svg>\n") && !text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn losses_that_are_not_numbers_leave_a_gap() {
        let mut run = falling();
        run.train.push((61.0, f64::NAN));
        run.validation.push((61.0, f64::INFINITY));
        let text = loss_curve("diverged", &[run], None);
        assert!(!text.contains("NaN,") && !text.contains(",NaN"), "{text}");
    }

    #[test]
    fn long_runs_are_thinned_and_keep_their_last_point() {
        let points: Vec<(f64, f64)> = (0..10_001).map(|step| (f64::from(step), 1.0)).collect();
        let kept = thinned(&points);
        assert!(kept.len() <= MAX_POINTS + 1);
        assert_eq!(kept.last(), points.last());
    }
}
