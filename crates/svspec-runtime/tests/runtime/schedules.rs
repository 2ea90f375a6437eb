//! Schedules at the steps where they turn.

use svspec_runtime::schedule::{Factors, factor};
use svspec_runtime::spec::{Schedule, Shape, Training};

fn factors(schedule: Schedule, steps: u64) -> Vec<f64> {
    (0..steps).map(|step| factor(schedule, step, steps)).collect()
}

fn close(found: &[f64], expected: &[f64]) {
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
    assert!(same, "{found:?} against {expected:?}");
}

#[test]
fn constant_warms_up_and_stays() {
    close(&factors(Schedule::Constant { warmup: 4 }, 6), &[0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
    close(&factors(Schedule::Constant { warmup: 0 }, 2), &[1.0, 1.0]);
}

#[test]
fn wsd_warms_up_stays_and_falls_in_a_line() {
    close(
        &factors(Schedule::Wsd { warmup: 2, decay: 4, floor: 0.0, shape: Shape::Linear }, 8),
        &[0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25],
    );
    close(
        &factors(Schedule::Wsd { warmup: 0, decay: 2, floor: 0.5, shape: Shape::Linear }, 3),
        &[1.0, 1.0, 0.75],
    );
}

#[test]
fn cosine_falls_through_the_middle_to_above_its_floor() {
    let half = 0.5_f64;
    let at = |progress: f64| 0.1 + 0.9 * half * (1.0 + (std::f64::consts::PI * progress).cos());
    close(
        &factors(Schedule::Cosine { warmup: 1, floor: 0.1 }, 5),
        &[1.0, at(0.0), at(0.25), at(0.5), at(0.75)],
    );
    assert!((at(0.5) - 0.55).abs() < 1e-12);
}

#[test]
fn linear_falls_in_a_line_to_above_its_floor() {
    close(&factors(Schedule::Linear { warmup: 2, floor: 0.2 }, 6), &[0.5, 1.0, 1.0, 0.8, 0.6, 0.4]);
}

#[test]
fn wsd_falls_as_its_shape_says() {
    let wsd = |shape| factors(Schedule::Wsd { warmup: 1, decay: 4, floor: 0.2, shape }, 6);
    close(&wsd(Shape::Linear), &[1.0, 1.0, 1.0, 0.8, 0.6, 0.4]);
    // 1 − sqrt(1/4) = 1/2, of what is above the floor.
    close(&wsd(Shape::Sqrt), &[1.0, 1.0, 1.0, 0.6, 1.0 - 0.8 * 0.5_f64.sqrt(), 1.0 - 0.8 * 0.75_f64.sqrt()]);
    let at = |cosine: f64| 0.2 + 0.8 * 0.5 * (1.0 + cosine);
    let eighth = 0.5_f64.sqrt();
    close(&wsd(Shape::Cosine), &[1.0, 1.0, at(1.0), at(eighth), at(0.0), at(-eighth)]);
}

#[test]
fn inverse_sqrt_halves_each_time_the_steps_quadruple() {
    let schedule = Schedule::InverseSqrt { warmup: 4 };
    close(&factors(schedule, 4), &[0.25, 0.5, 0.75, 1.0]);
    close(&[15, 63].map(|step| factor(schedule, step, 100)), &[0.5, 0.25]);
    close(&factors(Schedule::InverseSqrt { warmup: 0 }, 4)[..1], &[1.0]);
}

#[test]
fn rate_and_decay_have_a_schedule_each() {
    use crate::hand::Size;
    use crate::tiny::Tiny;
    let training = Training { decay_schedule: Schedule::Linear { warmup: 0, floor: 0.5 }, ..Tiny::TRAINING };
    assert_eq!(training.factors(0), Factors { lr: 0.25, decay: 1.0 });
    assert_eq!(training.factors(20), Factors { lr: 1.0, decay: 0.75 });
}

#[test]
fn a_warm_up_longer_than_the_run_never_peaks() {
    close(&factors(Schedule::Cosine { warmup: 10, floor: 0.0 }, 3), &[0.1, 0.2, 0.3]);
}

#[test]
fn fewer_steps_shrink_every_length_in_proportion() {
    use crate::hand::Size;
    use crate::tiny::Tiny;
    let shorter = Tiny::TRAINING.with_steps(20);
    assert_eq!(shorter.schedule, Schedule::Wsd { warmup: 2, decay: 4, floor: 0.0, shape: Shape::Linear });
    assert_eq!((shorter.steps, shorter.eval_every, shorter.checkpoint_every), (20, 5, 20));
    assert_eq!(Tiny::TRAINING.with_steps(1).eval_every, 1);
}
