//! The schedules of a model to a picture of the learning rate and the weight decay over the steps.

use super::axis::grouped;
use super::palette::{self, QUIET};
use super::plane::{Frame, LEFT, Plane, RIGHT};
use super::svg::{Element, Picture, text_width};
use svspec_ir::print::number::shortest;
use svspec_ir::print::schedule::{Point, ScheduleView};

/// With a legend of two rows.
const FRAME: Frame = Frame { height: 320.0, top: 84.0, num_values: 4 };

/// Draws both as shares, the rate's of its peak, the decay's of what the rules say; the decay only if it changes.
pub fn schedule(view: &ScheduleView) -> String {
    let plane = Plane::new(FRAME, (1.0, view.steps.max(2) as f64), (0.0, 1.0));
    let [steps, tokens] = [view.steps, view.tokens_per_step].map(|number| grouped(&number.to_string()));
    let mut picture = plane.frame(&format!("{}: {steps} steps of {tokens} tokens", view.model), "share");
    for turn in &view.turns {
        let (x, _) = plane.place((turn.step as f64, 0.0));
        picture.add(
            Element::line((x, FRAME.top), (x, FRAME.bottom()))
                .stroke(QUIET, 1.0)
                .with("stroke-dasharray", "2 4"),
        );
    }
    let place = |point: &Point, value: f64| plane.place((point.step as f64, value));
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
