//! The schedules of a model to a picture of the learning rate and the weight decay over the steps.

use super::axis::{Axis, grouped};
use super::palette::{self, HAIR, INK, QUIET};
use super::svg::{Element, Picture, text_width};
use svspec_ir::print::number::shortest;
use svspec_ir::print::schedule::{Point, ScheduleView};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = HEIGHT - 52.0;

/// Draws both as shares, the rate's of its peak, the decay's of what the rules say; the decay only if it changes.
pub fn schedule(view: &ScheduleView) -> String {
    let mut picture = Picture::new(WIDTH, HEIGHT);
    let step = Axis::new((1.0, view.steps.max(2) as f64), (LEFT, RIGHT));
    let share = Axis::new((0.0, 1.0), (BOTTOM, TOP));
    frame(&mut picture, view, &step, &share);
    for turn in &view.turns {
        let x = step.pixel(turn.step as f64);
        picture.add(Element::line((x, TOP), (x, BOTTOM)).stroke(QUIET, 1.0).with("stroke-dasharray", "2 4"));
    }
    let place = |point: &Point, value: f64| (step.pixel(point.step as f64), share.pixel(value));
    let mut draw = |value: fn(&Point) -> f64, index: usize| {
        let line: Vec<(f64, f64)> = view.points.iter().map(|point| place(point, value(point))).collect();
        let colour = palette::run(index);
        picture.add(Element::polyline(&line).stroke(colour, 2.0).with("stroke-linejoin", "round"));
        for turn in &view.turns {
            let hint = format!("step {}: {:.4}", grouped(&turn.step.to_string()), value(turn));
            let circle = Element::circle(place(turn, value(turn)), 3.5).with("fill", palette::PAPER);
            picture.add(circle.stroke(colour, 2.0).hint(&hint));
        }
    };
    let changes = view.points.iter().any(|point| point.decay.total_cmp(&1.0).is_ne());
    if changes {
        draw(|point| point.decay, 1);
    }
    draw(|point| point.lr, 0);
    legend(&mut picture, view, changes);
    picture.finish(&format!("Learning rate of {} over {} steps", view.model, view.steps))
}

fn frame(picture: &mut Picture, view: &ScheduleView, step: &Axis, share: &Axis) {
    let steps = grouped(&view.steps.to_string());
    let title =
        format!("{}: {steps} steps of {} tokens", view.model, grouped(&view.tokens_per_step.to_string()));
    picture.add(Element::text(LEFT, 28.0, 16.0, &title).with("font-weight", "bold"));
    for (value, label) in share.ticks(4) {
        let y = share.pixel(value);
        picture.add(Element::line((LEFT, y), (RIGHT, y)).stroke(HAIR, 1.0));
        picture.add(Element::text(LEFT - 8.0, y + 4.0, 11.0, &label).ending().with("fill", QUIET));
    }
    for (value, label) in step.ticks(8) {
        let x = step.pixel(value);
        picture.add(Element::line((x, BOTTOM), (x, BOTTOM + 5.0)).stroke(INK, 1.0));
        picture.add(Element::text(x, BOTTOM + 19.0, 11.0, &label).centred().with("fill", QUIET));
    }
    picture.add(Element::line((LEFT, BOTTOM), (RIGHT, BOTTOM)).stroke(INK, 1.0));
    let middle = f64::midpoint(LEFT, RIGHT);
    picture.add(Element::text(middle, HEIGHT - 12.0, 12.0, "optimizer step").centred());
    let (x, y) = (18.0, f64::midpoint(TOP, BOTTOM));
    let turned = format!("rotate(-90 {x} {y})");
    picture.add(Element::text(x, y, 12.0, "share").centred().with("transform", &turned));
}

/// What each line is, as the spec writes it, one below the other.
fn legend(picture: &mut Picture, view: &ScheduleView, changes: bool) {
    let peaks: Vec<String> =
        view.peaks.iter().map(|peak| format!("{} {}", peak.optimizer, shortest(peak.lr))).collect();
    let mut rows = vec![format!("learning rate (peak: {}): {}", peaks.join(", "), view.schedule)];
    if changes {
        rows.push(format!("weight decay: {}", view.decay_schedule));
    }
    for (index, (row, y)) in rows.iter().zip([46.0, 64.0]).enumerate() {
        picture.add(Element::line((LEFT, y), (LEFT + 18.0, y)).stroke(palette::run(index), 2.0));
        let room = RIGHT - LEFT - 24.0;
        // A long line is set smaller rather than cut.
        let size = (12.0 * room / text_width(row, 12.0)).min(12.0);
        picture.add(Element::text(LEFT + 24.0, y + 4.0, size, row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svspec_ir::print::schedule::Peak;

    /// A view by hand: a warm-up of two steps, a decay of four, and a weight decay that halves.
    fn view() -> ScheduleView {
        let shares = [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25];
        let point = |index: usize, lr: f64| Point {
            step: index as u64 + 1,
            lr,
            decay: 1.0 - 0.5 * index as f64 / 8.0,
        };
        let points: Vec<Point> = shares.iter().enumerate().map(|(index, lr)| point(index, *lr)).collect();
        ScheduleView {
            format_version: 1,
            model: "small".to_owned(),
            steps: 8,
            tokens_per_step: 4096,
            schedule: "wsd { warmup = 2 steps, decay = 4 steps, floor = 0 }".to_owned(),
            decay_schedule: "linear { warmup = 0 steps, floor = 0.5 }".to_owned(),
            peaks: vec![Peak { optimizer: "adamw", lr: 3e-3 }, Peak { optimizer: "muon", lr: 0.02 }],
            turns: [0, 2, 4, 7].into_iter().filter_map(|index: usize| points.get(index).copied()).collect(),
            points,
        }
    }

    #[test]
    fn of_rate_and_decay() {
        insta::assert_snapshot!(schedule(&view()));
    }

    #[test]
    fn a_decay_that_stays_is_not_drawn() {
        let mut view = view();
        view.points.iter_mut().for_each(|point| point.decay = 1.0);
        let text = schedule(&view);
        assert_eq!(text.matches("<polyline").count(), 1);
        assert!(!text.contains("weight decay"), "{text}");
    }

    #[test]
    fn a_run_of_one_step_is_a_picture() {
        let mut view = view();
        view.steps = 1;
        view.points.truncate(1);
        view.turns.truncate(1);
        let text = schedule(&view);
        assert!(text.ends_with("</svg>\n") && !text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
