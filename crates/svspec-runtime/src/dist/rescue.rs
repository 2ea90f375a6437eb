//! A process that has lost the others in, the state that it holds on the disk out.

use super::TeamError;
use crate::checkpoint::{self, State};
use crate::run::RunError;
use crate::spec::{OptimizerState, Spec};
use crate::train::Plan;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// One process leaves a checkpoint, whichever makes this first.
const CLAIM: &str = "checkpoint.claim";

/// Before a run: what a process that was killed while it left its checkpoint may have left besides.
pub fn unclaim(run: &Path) {
    let _ = fs::remove_file(run.join(CLAIM));
}

/// Leaves the state after the last whole step in the run's folder by `save`, unless it is there, or another process does so; `error` then says
/// which. All processes hold the same state, so that each that is left can; unless the optimizer's is divided among them.
pub fn rescue(
    error: &mut TeamError,
    spec: &Spec,
    plan: &Plan,
    state: &State,
    save: impl FnOnce() -> Result<(), RunError>,
) {
    if let TeamError::Lost { rank, reasons, first, .. } = error {
        let is_divided = plan.optimizer_state == OptimizerState::Sharded;
        let by = Some(*first).filter(|first| first != rank);
        reasons.push(leave(spec, &plan.out, state.step, is_divided, by, save));
    }
}

fn leave(
    spec: &Spec,
    run: &Path,
    step: u64,
    is_divided: bool,
    by: Option<usize>,
    save: impl FnOnce() -> Result<(), RunError>,
) -> String {
    let shown = run.display();
    if step == 0 {
        return format!("no step was taken: begin again with --resume {shown}");
    }
    // A run that has only begun stands at step 0.
    let stands = checkpoint::load_record(run, spec).map_or(0, |record| record.step);
    if stands >= step {
        return format!("the checkpoint of step {stands} stands: go on with --resume {shown}");
    }
    if is_divided {
        let left = match stands {
            0 => format!("there is no checkpoint yet: begin again with --resume {shown}"),
            _ => format!("the checkpoint of step {stands} stands: go on with --resume {shown}"),
        };
        return format!("the optimizer's state was divided among the processes, and {left}");
    }
    if let Some(first) = by {
        return format!("process {first} leaves the checkpoint: go on with --resume {shown}");
    }
    let claim = run.join(CLAIM);
    match File::create_new(&claim) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return format!("another process leaves the checkpoint of step {step} in {shown}");
        }
        Err(error) => return format!("no checkpoint could be left in {shown}: {error}"),
    }
    let saved = save();
    let _ = fs::remove_file(&claim);
    match saved {
        Ok(()) => format!("the checkpoint of step {step} is left: go on with --resume {shown}"),
        Err(error) => format!("no checkpoint could be left in {shown}: {error}"),
    }
}
