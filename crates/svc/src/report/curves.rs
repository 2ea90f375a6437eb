//! Runs to pictures of how they went, drawn over one another.

use super::Run;
use crate::picture::{self, Line, Series};
use crate::run_folder::{Row, ScaleRow};
use std::collections::BTreeSet;

/// A title, the label of the axis, and what is drawn of a row that has it.
type Quantity<Row> = (&'static str, &'static str, fn(&Row) -> Option<f64>);

/// Losses, then what else is logged by step, then the scale vectors by role.
pub fn curves(runs: &[Run]) -> Vec<String> {
    let losses: Vec<Series> = runs.iter().map(|run| run.losses.clone()).collect();
    let entropies: Vec<f64> = runs.iter().filter_map(|run| run.unigram_entropy).collect();
    // Runs on different texts have no common line.
    let is_common = entropies.windows(2).all(|pair| matches!(pair, [a, b] if a.total_cmp(b).is_eq()));
    let entropy = entropies.first().copied().filter(|_| is_common);
    let mut curves = vec![picture::loss_curve("Loss", &losses, entropy)];
    let logged: [Quantity<Row>; 4] = [
        ("Gradient norm, before clipping", "norm", |row| Some(row.grad_norm)),
        ("Learning rate", "rate", |row| Some(row.lr)),
        ("Speed", "tokens/s", |row| Some(row.tokens_per_second)),
        ("Model FLOPs utilization", "share of the peak", |row| row.mfu),
    ];
    for (title, label, value) in logged {
        let of = |run: &Run| line(run, run.rows.iter().map(|row| (row.step, value(row))));
        curves.extend(drawn(title, label, runs.iter().map(of)));
    }
    let sets: BTreeSet<&String> =
        runs.iter().flat_map(|run| &run.evaluations).flat_map(|row| row.val_losses.keys()).collect();
    for set in sets {
        let of = |run: &Run| {
            line(run, run.evaluations.iter().map(|row| (row.step, row.val_losses.get(set).copied())))
        };
        curves.extend(drawn(&format!("Validation loss on {set}"), "loss", runs.iter().map(of)));
    }
    let of_validations = |run: &Run| line(run, run.evaluations.iter().map(|row| (row.step, row.sharpness)));
    let sharpness = "Sharpness: the largest eigenvalue of the Hessian";
    curves.extend(drawn(sharpness, "eigenvalue", runs.iter().map(of_validations)));
    let groups: BTreeSet<&String> =
        runs.iter().flat_map(|run| &run.rows).flat_map(|row| row.grad_norms.keys()).collect();
    for group in groups {
        let of =
            |run: &Run| line(run, run.rows.iter().map(|row| (row.step, row.grad_norms.get(group).copied())));
        curves.extend(drawn(&format!("Gradient norm of {group}"), "norm", runs.iter().map(of)));
    }
    let of_scales: [Quantity<ScaleRow>; 6] = [
        ("Mean entry", "mean of γ", |row| Some(row.mean)),
        ("Norm", "‖γ‖", |row| Some(row.norm)),
        ("Anisotropy", "var(γ) / mean(γ²)", |row| Some(row.anisotropy)),
        ("Effective decay a step", "λ in γ ← γ − λ γ", |row| row.effective_decay),
        ("Balance with the weights", "mean of γ_j² − ‖w_j‖²", |row| row.balance),
        ("Least eigenvalue of the preconditioners", "min γ_j²", |row| row.least_eigenvalue),
    ];
    for role in ["input", "output"] {
        for (title, label, value) in of_scales {
            let lines = runs.iter().flat_map(|run| by_vector(run, role, value));
            curves.extend(drawn(&format!("{title} of the {role} scale vectors"), label, lines));
        }
    }
    curves
}

/// A run's line through the steps that have a value.
fn line(run: &Run, points: impl Iterator<Item = (u64, Option<f64>)>) -> Line {
    let points = points.filter_map(|(step, value)| Some((step as f64, value?)));
    Line { name: run.name.clone(), points: points.collect() }
}

/// The picture of these lines, if there is anything on them.
fn drawn(title: &str, label: &str, lines: impl Iterator<Item = Line>) -> Option<String> {
    let lines: Vec<Line> = lines.collect();
    lines.iter().any(|line| !line.points.is_empty()).then(|| picture::lines(title, label, &lines))
}

/// A line for each vector of that role, all named after the run.
fn by_vector(run: &Run, role: &str, value: fn(&ScaleRow) -> Option<f64>) -> Vec<Line> {
    let of_role = || run.scale_rows.iter().filter(|row| row.role == role);
    let mut names: Vec<&str> = of_role().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let of_name =
        |name: &str| line(run, of_role().filter(|row| row.name == name).map(|row| (row.step, value(row))));
    names.into_iter().map(of_name).collect()
}
