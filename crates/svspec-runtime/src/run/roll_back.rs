//! A fault in, the state of the newest checkpoint out, to go on from with the batches after those that led to the fault.

use super::{RunError, first_state};
use crate::checkpoint::{self, State};
use crate::foreign::Foreign;
use crate::health::{Fault, MOST_ROLL_BACKS, RollBack};
use crate::params::Params;
use crate::spec::Spec;
use crate::train::Plan;

/// Goes back, and notes it in the checkpoint, so that a run that is taken up there passes over the same batches.
pub fn roll_back(
    spec: &'static Spec,
    foreign: Foreign,
    plan: &Plan,
    fault: Fault,
) -> Result<State, RunError> {
    let (team, run) = (&plan.team, &plan.out);
    // The checkpoint is whole before any process looks, and all have looked before one writes.
    team.together(Ok::<(), RunError>(()))?;
    let mut record = team.together(checkpoint::load_record(run, spec).map_err(RunError::from))?;
    let to = record.step;
    let times = record.roll_backs.iter().filter(|earlier| earlier.to == to).count();
    if times >= MOST_ROLL_BACKS {
        return Err(RunError::RolledBack { fault, times, to, run: run.clone() });
    }
    record.roll_backs.push(RollBack::new(to, &fault));
    if team.leads() {
        checkpoint::amend(run, &record)?;
    }
    let optimizer = |params: &Params| team.optimizer(spec, params, plan.optimizer_state);
    if let Some(state) = checkpoint::load_state(run, &record, spec, plan.device, optimizer)? {
        return Ok(state);
    }
    let first = first_state(spec, foreign, record.seed, plan.init_from.as_deref(), plan.device, optimizer)?;
    Ok(State { roll_backs: record.roll_backs, ..first })
}
