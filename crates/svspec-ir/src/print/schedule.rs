//! The learning rate and the weight decay over the steps: a line drawn in blocks, and the steps at which it turns.

use super::FORMAT_VERSION;
use super::number::{grouped, rounded};
use super::resolved;
use super::table::{Align, table};
use crate::{CheckedModel, Train};
use serde::Serialize;

/// The schedules of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScheduleView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// Optimizer steps.
    pub steps: u64,
    /// Tokens in each.
    pub tokens_per_step: u64,
    /// The learning rate's, as the language writes it.
    pub schedule: String,
    /// The weight decay's.
    pub decay_schedule: String,
    /// The peak learning rate of each optimizer that steps some tensor, before rules multiply it.
    pub peaks: Vec<Peak>,
    /// Steps at which one of the two changes its course.
    pub turns: Vec<Point>,
    /// Evenly spaced steps, turns among them; fit for a plot.
    pub points: Vec<Point>,
}

/// An optimizer's peak learning rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Peak {
    /// `adamw`, `muon`, `sgd`.
    pub optimizer: &'static str,
    /// The rate.
    pub lr: f64,
}

/// What holds in one step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Counted from 1.
    pub step: u64,
    /// The share of the peak learning rate.
    pub lr: f64,
    /// The share of a rule's weight decay.
    pub decay: f64,
}

/// As many points as a plot can show.
const NUM_POINTS: u64 = 400;
/// The columns of the line in blocks.
const NUM_COLUMNS: u64 = 64;

/// The schedules of `checked` as data.
pub fn view(checked: &CheckedModel) -> ScheduleView {
    let model = checked.model();
    let train = &model.train;
    let mut turns: Vec<u64> = [train.schedule, train.decay_schedule]
        .iter()
        .flat_map(|schedule| schedule.turns(train.steps))
        .collect();
    turns.sort_unstable();
    turns.dedup();
    let mut steps = spread(train.steps, NUM_POINTS);
    steps.extend(&turns);
    steps.sort_unstable();
    steps.dedup();
    let mut peaks: Vec<Peak> = Vec::new();
    for group in checked.groups() {
        let peak = Peak { optimizer: group.algorithm.family(), lr: model.optimizer.peak(group.algorithm) };
        if !peaks.contains(&peak) {
            peaks.push(peak);
        }
    }
    ScheduleView {
        format_version: FORMAT_VERSION,
        model: model.name.clone(),
        steps: train.steps,
        tokens_per_step: train.batch * model.context as u64,
        schedule: resolved::schedule(train.schedule),
        decay_schedule: resolved::schedule(train.decay_schedule),
        peaks,
        turns: turns.into_iter().map(|step| point(train, step)).collect(),
        points: steps.into_iter().map(|step| point(train, step)).collect(),
    }
}

/// At most `count` steps, from 0, evenly over the run.
fn spread(steps: u64, count: u64) -> Vec<u64> {
    let count = count.min(steps);
    (0..count).map(|index| (u128::from(index) * u128::from(steps) / u128::from(count)) as u64).collect()
}

fn point(train: &Train, step: u64) -> Point {
    Point {
        step: step + 1,
        lr: train.schedule.factor(step, train.steps),
        decay: train.decay_schedule.factor(step, train.steps),
    }
}

/// The schedules of `checked` as text.
pub fn schedule(checked: &CheckedModel) -> String {
    let view = view(checked);
    let train = &checked.model().train;
    let columns: Vec<Point> =
        spread(train.steps, NUM_COLUMNS).into_iter().map(|step| point(train, step)).collect();
    let is_decay_flat = train.decay_schedule.is_flat();
    let mut text = format!("learning rate: {}\n", view.schedule);
    text.push_str(&blocks(columns.iter().map(|point| point.lr)));
    if !is_decay_flat {
        text.push_str(&format!("\nweight decay: {}\n", view.decay_schedule));
        text.push_str(&blocks(columns.iter().map(|point| point.decay)));
    }
    text.push('\n');
    let mut header = vec!["step".to_owned(), "tokens".to_owned(), "of the peak".to_owned()];
    header.extend(view.peaks.iter().map(|peak| format!("{} lr", peak.optimizer)));
    if !is_decay_flat {
        header.push("of the decay".to_owned());
    }
    let row = |point: &Point| {
        let mut cells = vec![
            grouped(point.step),
            grouped(point.step.saturating_mul(view.tokens_per_step)),
            format!("{:.4}", point.lr),
        ];
        cells.extend(view.peaks.iter().map(|peak| rounded(peak.lr * point.lr)));
        if !is_decay_flat {
            cells.push(format!("{:.4}", point.decay));
        }
        cells
    };
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(view.turns.iter().map(row)).collect();
    text.push_str(&table("", &[Align::Right; 7], &rows));
    text
}

/// Shares as blocks of eight heights; what is not quite 0 shows.
fn blocks(shares: impl Iterator<Item = f64>) -> String {
    const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let block =
        |share: f64| HEIGHTS.get((share * 8.0).ceil().clamp(0.0, 8.0) as usize).copied().unwrap_or(' ');
    format!("{}\n", shares.map(block).collect::<String>().trim_end())
}
