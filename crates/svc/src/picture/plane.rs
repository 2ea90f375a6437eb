//! What curves are drawn on: two axes with their labels, a title, a legend.

use super::axis::Axis;
use super::palette::{self, HAIR, INK, QUIET};
use super::svg::{Element, Picture, text_width};

const WIDTH: f64 = 760.0;
/// The left edge of the curves.
pub const LEFT: f64 = 64.0;
/// Their right edge.
pub const RIGHT: f64 = WIDTH - 24.0;
/// Below the curves there is room for the steps and their name.
const FOOT: f64 = 52.0;

/// A curve is drawn with at most this many points; more would only make the file larger.
const MAX_POINTS: usize = 400;

/// How high a picture is, and how much of it the title and the legend take.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Of the picture.
    pub height: f64,
    /// The upper edge of the curves.
    pub top: f64,
    /// About so many values have a line.
    pub num_values: usize,
}

/// With a legend of one row.
pub const ONE_ROW: Frame = Frame { height: 420.0, top: 64.0, num_values: 6 };

impl Frame {
    /// The lower edge of the curves.
    pub fn bottom(self) -> f64 {
        self.height - FOOT
    }
}

/// The two axes, steps to the right.
pub struct Plane {
    frame: Frame,
    step: Axis,
    value: Axis,
}

impl Plane {
    /// From step `steps.0` to `steps.1`, and from `values.0` to `values.1`.
    pub fn new(frame: Frame, steps: (f64, f64), values: (f64, f64)) -> Self {
        Self {
            frame,
            step: Axis::new(steps, (LEFT, RIGHT)),
            value: Axis::new(values, (frame.bottom(), frame.top)),
        }
    }

    /// From step 0 to `last_step`, and from `values.0` to `values.1` with a margin; not below `floor`.
    pub fn around(last_step: f64, (low, high): (f64, f64), floor: f64) -> Self {
        let margin = (high - low) * 0.06;
        Self::new(ONE_ROW, (0.0, last_step), ((low - margin).max(floor), high + margin))
    }

    /// Where a point is drawn.
    pub fn place(&self, (step, value): (f64, f64)) -> (f64, f64) {
        (self.step.pixel(step), self.value.pixel(value))
    }

    /// An empty picture with the frame drawn.
    pub fn frame(&self, title: &str, label: &str) -> Picture {
        let Frame { height, top, num_values } = self.frame;
        let bottom = self.frame.bottom();
        let mut picture = Picture::new(WIDTH, height);
        picture.add(Element::text(LEFT, 28.0, 16.0, title).with("font-weight", "bold"));
        for (value, label) in self.value.ticks(num_values) {
            let y = self.value.pixel(value);
            picture.add(Element::line((LEFT, y), (RIGHT, y)).stroke(HAIR, 1.0));
            picture.add(Element::text(LEFT - 8.0, y + 4.0, 11.0, &label).ending().with("fill", QUIET));
        }
        for (value, label) in self.step.ticks(8) {
            let x = self.step.pixel(value);
            picture.add(Element::line((x, bottom), (x, bottom + 5.0)).stroke(INK, 1.0));
            picture.add(Element::text(x, bottom + 19.0, 11.0, &label).centred().with("fill", QUIET));
        }
        picture.add(Element::line((LEFT, bottom), (RIGHT, bottom)).stroke(INK, 1.0));
        let middle = f64::midpoint(LEFT, RIGHT);
        picture.add(Element::text(middle, height - 12.0, 12.0, "optimizer step").centred());
        let (x, y) = (18.0, f64::midpoint(top, bottom));
        let turned = format!("rotate(-90 {x} {y})");
        picture.add(Element::text(x, y, 12.0, label).centred().with("transform", &turned));
        picture
    }
}

/// Every so many-th point, the last one always; what is not finite is left out.
pub fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
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

/// Draws a line as the legend's mark, and its name; returns where the next one starts.
pub fn line_entry(picture: &mut Picture, x: f64, colour: &str, name: &str) -> f64 {
    entry(picture, x, Element::line((x, 46.0), (x + 18.0, 46.0)), colour, name)
}

/// Draws a mark and its name; returns where the next one starts.
pub fn entry(picture: &mut Picture, x: f64, mark: Element, colour: &str, name: &str) -> f64 {
    picture.add(mark.with("fill", palette::PAPER).stroke(colour, 2.0));
    picture.add(Element::text(x + 24.0, 50.0, 12.0, name));
    x + 24.0 + text_width(name, 12.0) + 18.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_are_thinned_and_keep_their_last_point() {
        let points: Vec<(f64, f64)> = (0..10_001).map(|step| (f64::from(step), 1.0)).collect();
        let kept = thinned(&points);
        assert!(kept.len() <= MAX_POINTS + 1);
        assert_eq!(kept.last(), points.last());
    }
}
