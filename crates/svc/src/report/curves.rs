//! Runs to pictures of how they went, drawn over one another.

use super::Run;
use crate::picture::{self, Line, Series};
use crate::run_folder::{Row, ScaleRow};

/// A title, the label of the axis, and what is drawn of a row.
type Quantity<Row> = (&'static str, &'static str, fn(&Row) -> f64);

/// Losses, then what else is logged by step, then the scale vectors by role.
pub fn curves(runs: &[Run]) -> Vec<String> {
    let losses: Vec<Series> = runs.iter().map(|run| run.losses.clone()).collect();
    let entropies: Vec<f64> = runs.iter().filter_map(|run| run.unigram_entropy).collect();
    // Runs on different texts have no common line.
    let is_common = entropies.windows(2).all(|pair| matches!(pair, [a, b] if a.total_cmp(b).is_eq()));
    let entropy = entropies.first().copied().filter(|_| is_common);
    let mut curves = vec![picture::loss_curve("Loss", &losses, entropy)];
    let logged: [Quantity<Row>; 3] = [
        ("Gradient norm, before clipping", "norm", |row| row.grad_norm),
        ("Learning rate", "rate", |row| row.lr),
        ("Speed", "tokens/s", |row| row.tokens_per_second),
    ];
    for (title, label, value) in logged {
        let of = |run: &Run| Line {
            name: run.name.clone(),
            points: run.rows.iter().map(|row| (row.step as f64, value(row))).collect(),
        };
        curves.push(picture::lines(title, label, &runs.iter().map(of).collect::<Vec<_>>()));
    }
    let of_scales: [Quantity<ScaleRow>; 3] = [
        ("Mean entry", "mean of γ", |row| row.mean),
        ("Norm", "‖γ‖", |row| row.norm),
        ("Anisotropy", "var(γ) / mean(γ²)", |row| row.anisotropy),
    ];
    for role in ["input", "output"] {
        if !runs.iter().any(|run| run.scale_rows.iter().any(|row| row.role == role)) {
            continue;
        }
        for (title, label, value) in of_scales {
            let lines: Vec<Line> = runs.iter().flat_map(|run| by_vector(run, role, value)).collect();
            curves.push(picture::lines(&format!("{title} of the {role} scale vectors"), label, &lines));
        }
    }
    curves
}

/// A line for each vector of that role, all named after the run.
fn by_vector(run: &Run, role: &str, value: fn(&ScaleRow) -> f64) -> Vec<Line> {
    let of_role = || run.scale_rows.iter().filter(|row| row.role == role);
    let mut names: Vec<&str> = of_role().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let line = |name: &str| Line {
        name: run.name.clone(),
        points: of_role().filter(|row| row.name == name).map(|row| (row.step as f64, value(row))).collect(),
    };
    names.into_iter().map(line).collect()
}
