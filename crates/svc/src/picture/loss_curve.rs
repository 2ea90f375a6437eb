//! The losses of one or several runs to a picture of how they fell.

use super::palette::{self, QUIET};
use super::plane::{LEFT, Plane, RIGHT, entry, line_entry, thinned};
use super::svg::{Element, Picture};

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
    let plane = plane(series, unigram_entropy);
    let mut picture = plane.frame(title, "loss, nats per token");
    if let Some(entropy) = unigram_entropy {
        let (_, y) = plane.place((0.0, entropy));
        picture.add(Element::line((LEFT, y), (RIGHT, y)).stroke(QUIET, 1.2).with("stroke-dasharray", "6 4"));
        let note = format!("unigram entropy {entropy:.2}");
        picture.add(Element::text(RIGHT, y - 6.0, 11.0, &note).ending().with("fill", QUIET));
    }
    for (index, run) in series.iter().enumerate() {
        draw(&mut picture, &plane, run, palette::run(index));
    }
    legend(&mut picture, series);
    picture.finish(title)
}

fn plane(series: &[Series], unigram_entropy: Option<f64>) -> Plane {
    let finite = |points: &[(f64, f64)]| {
        points.iter().copied().filter(|(step, loss)| step.is_finite() && loss.is_finite()).collect::<Vec<_>>()
    };
    let shown: Vec<(f64, f64)> =
        series.iter().flat_map(|run| [finite(&run.train), finite(&run.validation)].concat()).collect();
    let last_step = shown.iter().map(|(step, _)| *step).fold(1.0, f64::max);
    let losses = || shown.iter().map(|(_, loss)| *loss).chain(unigram_entropy);
    let low = losses().fold(f64::INFINITY, f64::min).min(1e9);
    let high = losses().fold(f64::NEG_INFINITY, f64::max).max(low);
    Plane::around(last_step, (low, high), 0.0)
}

fn draw(picture: &mut Picture, plane: &Plane, run: &Series, colour: &str) {
    let place = |point: &(f64, f64)| plane.place(*point);
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

/// One run names its line and its points; of several, each is named once, with the loss it ended at.
fn legend(picture: &mut Picture, series: &[Series]) {
    let mut x = LEFT;
    for (index, run) in series.iter().enumerate() {
        let colour = palette::run(index);
        let end =
            run.validation.last().map_or_else(String::new, |(_, loss)| format!(", {loss:.3} at the end"));
        if series.len() > 1 {
            x = line_entry(picture, x, colour, &format!("{}{end}", run.name));
            continue;
        }
        x = line_entry(picture, x, colour, "training");
        if !end.is_empty() {
            entry(picture, x, Element::circle((x + 9.0, 46.0), 4.0), colour, &format!("validation{end}"));
        }
    }
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
}
