//! What the optimizer remembers: the old run's tensors by name in, the new run's out. Of the parameter NAME AdamW has
//! `NAME.first_moment`, `NAME.second_moment` and `NAME.step`, Muon and SGD `NAME.momentum`; what begins with `rng.` or `health.` belongs to none.

use super::Old;
use super::files::Buffer;
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use svspec_ir::eval::Tensor;
use svspec_ir::migrate::{self, Memory, Moment, Plan, Step};
use svspec_ir::{Algorithm, CheckedModel, Instance};

const STEP: &str = "step";
/// The states of generators, and the running mean of the loss.
const OF_NONE: [&str; 2] = ["rng.", "health."];

/// What is remembered of a tensor, by kind, and which moment of the gradient it is; `None` counts steps.
type Kinds = Vec<(&'static str, Option<Moment>)>;

/// What an algorithm remembers. A momentum is linear in the gradients, as a first moment is.
fn kinds(checked: &CheckedModel, algorithm: Algorithm) -> Kinds {
    match algorithm {
        Algorithm::AdamW { .. } => {
            vec![("first_moment", Some(Moment::First)), ("second_moment", Some(Moment::Second)), (STEP, None)]
        }
        Algorithm::Muon(_) | Algorithm::Sgd | Algorithm::Load => {
            match algorithm.num_memories(&checked.model().optimizer) {
                0 => Vec::new(),
                _ => vec![("momentum", Some(Moment::First))],
            }
        }
    }
}

/// What steps a tensor.
fn algorithm(checked: &CheckedModel, tensor: Instance) -> anyhow::Result<Algorithm> {
    let mut assignments = checked.assignments().iter();
    let found = assignments.find(|assignment| assignment.instance == tensor);
    let name = || checked.model().instance_name(tensor);
    found.map(|assignment| assignment.algorithm).with_context(|| format!("no optimizer steps `{}`", name()))
}

/// What the new run's optimizer remembers.
pub(super) struct Remembered {
    /// By name.
    pub tensors: Vec<(String, Buffer)>,
    /// The parameters whose memory could not go on, though the plan says so.
    pub lost: Vec<String>,
}

/// Carries over what goes on; the rest is as before a first step.
pub(super) fn carry(old: &Old<'_>, new: &CheckedModel, plan: &Plan) -> anyhow::Result<Remembered> {
    require_known(old)?;
    let (mut tensors, mut lost) = (Vec::new(), Vec::new());
    for step in plan.steps.iter().filter(|step| step.memory != Memory::NotTrained) {
        let name = new.model().instance_name(step.tensor);
        let algorithm = algorithm(new, step.tensor)?;
        let going_on = remembered(old, step, algorithm)?;
        if going_on.is_none() && step.memory.source().is_some() {
            lost.push(name.clone());
        }
        let all = going_on
            .unwrap_or_else(|| fresh(&kinds(new, algorithm), &migrate::sizes(new.model(), step.tensor)));
        tensors.extend(all.into_iter().map(|(kind, buffer)| (format!("{name}.{kind}"), buffer)));
    }
    for name in old.optimizer.names().into_iter().filter(|name| is_of_none(name)) {
        tensors.push((name.to_owned(), old.optimizer.copy(name)?));
    }
    Ok(Remembered { tensors, lost })
}

/// What is remembered of a tensor, by kind, where that goes on: the same algorithm has to step it.
fn remembered(
    old: &Old<'_>,
    step: &Step,
    steps_it: Algorithm,
) -> anyhow::Result<Option<Vec<(&'static str, Buffer)>>> {
    let Some(source) = step.memory.source() else { return Ok(None) };
    let stepped_it = algorithm(old.checked, source)?;
    let kinds_of_old = kinds(old.checked, stepped_it);
    if stepped_it.family() != steps_it.family() {
        return Ok(None);
    }
    let model = old.checked.model();
    let name = model.instance_name(source);
    let mut all = Vec::new();
    for (kind, which) in kinds_of_old {
        let full = format!("{name}.{kind}");
        let buffer = match (&step.memory, which) {
            (Memory::Kept(_), _) | (_, None) => old.optimizer.copy(&full)?,
            (Memory::Rescaled(..) | Memory::Restarts(_) | Memory::New | Memory::NotTrained, Some(which)) => {
                let moment = old.optimizer.value(&full, migrate::sizes(model, source))?;
                match step.memory.moment(model, which, &moment, &old.vectors) {
                    Some(moment) => Buffer::of(&moment),
                    None => return Ok(None),
                }
            }
        };
        all.push((kind, buffer));
    }
    Ok(Some(all))
}

/// What an optimizer remembers before its first step.
fn fresh(kinds: &Kinds, sizes: &[usize]) -> Vec<(&'static str, Buffer)> {
    let zeros = |which: &Option<Moment>| Tensor::zeros(if which.is_some() { sizes } else { &[] });
    kinds.iter().map(|(kind, which)| (*kind, Buffer::of(&zeros(which)))).collect()
}

/// Refuses what is not known how to carry over.
fn require_known(old: &Old<'_>) -> anyhow::Result<()> {
    let model = old.checked.model();
    let mut known = BTreeSet::new();
    for assignment in old.checked.assignments() {
        let name = model.instance_name(assignment.instance);
        let kinds = kinds(old.checked, assignment.algorithm).into_iter();
        known.extend(kinds.map(|(kind, _)| format!("{name}.{kind}")));
    }
    for full in old.optimizer.names().into_iter().filter(|name| !is_of_none(name)) {
        if !known.contains(full) {
            bail!(
                "`{}` remembers `{full}`, and what that would be in another spec is not known",
                old.optimizer.path().display()
            );
        }
    }
    Ok(())
}

fn is_of_none(name: &str) -> bool {
    OF_NONE.iter().any(|lead| name.starts_with(lead))
}
