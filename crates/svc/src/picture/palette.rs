//! The colours of every picture, in one place. Text on each fill keeps a contrast of at least 4.5 : 1.

/// The page.
pub const PAPER: &str = "#fdfdfb";
/// Text and strong lines.
pub const INK: &str = "#20242c";
/// Secondary text.
pub const QUIET: &str = "#5b6472";
/// Grid lines and frames.
pub const HAIR: &str = "#dcdfe4";

/// Lines of runs, in the order of the runs: Okabe and Ito's colours, which colour-blind readers tell apart.
const RUNS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#a8578a", "#b07d00", "#3a8fc4", "#4b4f58"];

/// The colour of run `index`; they repeat after seven.
pub fn run(index: usize) -> &'static str {
    RUNS.iter().cycle().nth(index % RUNS.len()).copied().unwrap_or(INK)
}
