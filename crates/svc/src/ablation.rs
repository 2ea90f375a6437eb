//! An ablation: variants of one spec, each trained with the same seeds, out of which comes one report.
//!
//! Tensors are initialised by name and seed, and a batch is a function of seed and step, so that runs of one seed begin
//! with the same weights and see the same text in the same order: differences are paired by seed.

pub mod plan;
pub mod queue;
pub mod report;
mod run;
pub mod search;
mod statistics;

pub use plan::Plan;
pub use report::Report;
pub use run::Run;
