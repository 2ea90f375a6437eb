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

/// Linear maps: fill and outline.
pub const LINEAR: (&str, &str) = ("#dfe9f7", "#2f5f9e");
/// Attention.
pub const ATTENTION: (&str, &str) = ("#e9e2f5", "#6a4ba0");
/// Normalisation, which has no parameters.
pub const NORMALIZE: (&str, &str) = ("#ececee", "#6b7280");
/// Everything else that is computed.
pub const PLAIN: (&str, &str) = ("#ffffff", "#7a828f");
/// A scale vector with decay, on its magnitude at least.
pub const DECAYED: (&str, &str) = ("#f9c66b", "#8a4b00");
/// A scale vector without decay.
pub const UNDECAYED: (&str, &str) = ("#a8e0cf", "#0b5f4c");
/// A scale vector that is decayed in some layers only, or in its direction only.
pub const PARTLY_DECAYED: (&str, &str) = ("#e3dc93", "#5f5a10");
