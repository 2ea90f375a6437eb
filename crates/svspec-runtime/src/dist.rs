//! One run in several processes, on LibTorch's c10d: who takes part, what each computes, and how their results come together.
//!
//! Processes divide the sequences of every batch among them, and sum gradients. All hold all parameters and take the same steps;
//! process 0 speaks, and writes files. [`launch`] learns how many there are, [`spawn`] starts them, and [`team`] is what the training
//! loop asks.

mod error;
pub mod launch;
mod owners;
mod plan;
mod pulse;
mod rescue;
mod share;
mod spawn;
mod sums;
mod team;
mod traffic;

pub use error::TeamError;
pub use launch::{LaunchError, PATIENCE, Place};
pub use owners::Owners;
pub use rescue::{rescue, unclaim};
pub use share::Share;
pub use spawn::{SpawnError, Spawned, spawn};
pub use sums::Sums;
pub use team::Team;
pub use traffic::Traffic;
