//! Schedules at the steps where they turn.

use svspec_runtime::schedule::factor;
use svspec_runtime::spec::Schedule;

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
        &factors(Schedule::Wsd { warmup: 2, decay: 4, floor: 0.0 }, 8),
        &[0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25],
    );
    close(&factors(Schedule::Wsd { warmup: 0, decay: 2, floor: 0.5 }, 3), &[1.0, 1.0, 0.75]);
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
fn a_warm_up_longer_than_the_run_never_peaks() {
    close(&factors(Schedule::Cosine { warmup: 10, floor: 0.0 }, 3), &[0.1, 0.2, 0.3]);
}

#[test]
fn fewer_steps_shrink_every_length_in_proportion() {
    use crate::hand::{Size, Tiny};
    let shorter = Tiny::TRAINING.with_steps(20);
    assert_eq!(shorter.schedule, Schedule::Wsd { warmup: 2, decay: 4, floor: 0.0 });
    assert_eq!((shorter.steps, shorter.eval_every, shorter.checkpoint_every), (20, 5, 20));
    assert_eq!(Tiny::TRAINING.with_steps(1).eval_every, 1);
}
