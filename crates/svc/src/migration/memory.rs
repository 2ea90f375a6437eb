//! What the optimizer remembers: the old run's tensors by name in, the new run's out. `NAME.first_moment`, `NAME.second_moment`
//! and `NAME.step` belong to the parameter NAME; what begins with `rng.` to no parameter.

use super::Old;
use super::files::Buffer;
use anyhow::bail;
use std::collections::BTreeSet;
use svspec_ir::CheckedModel;
use svspec_ir::eval::Tensor;
use svspec_ir::migrate::{self, Memory, Moment, Plan, Step};

const MOMENTS: [(&str, Moment); 2] = [("first_moment", Moment::First), ("second_moment", Moment::Second)];
const STEP: &str = "step";
const RANDOM: &str = "rng.";

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
    for step in &plan.steps {
        let name = new.model().instance_name(step.tensor);
        let going_on = remembered(old, step)?;
        if going_on.is_none() && step.memory.source().is_some() {
            lost.push(name.clone());
        }
        let all = going_on.unwrap_or_else(|| fresh(&migrate::sizes(new.model(), step.tensor)));
        tensors.extend(all.into_iter().map(|(kind, buffer)| (format!("{name}.{kind}"), buffer)));
    }
    for name in old.optimizer.names().into_iter().filter(|name| name.starts_with(RANDOM)) {
        tensors.push((name.to_owned(), old.optimizer.copy(name)?));
    }
    Ok(Remembered { tensors, lost })
}

/// What is remembered of a tensor, by kind, where that goes on.
fn remembered(old: &Old<'_>, step: &Step) -> anyhow::Result<Option<Vec<(&'static str, Buffer)>>> {
    let Some(source) = step.memory.source() else { return Ok(None) };
    let model = old.checked.model();
    let name = model.instance_name(source);
    let count = (STEP, old.optimizer.copy(&format!("{name}.{STEP}"))?);
    let mut all = vec![count];
    for (kind, which) in MOMENTS {
        let full = format!("{name}.{kind}");
        let buffer = match &step.memory {
            Memory::Kept(_) => old.optimizer.copy(&full)?,
            Memory::Rescaled(..) | Memory::Restarts(_) | Memory::New => {
                let moment = old.optimizer.value(&full, migrate::sizes(model, source))?;
                let values = old.values_for(None)?;
                match step.memory.moment(model, which, &moment, &values) {
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
fn fresh(sizes: &[usize]) -> Vec<(&'static str, Buffer)> {
    let moments = MOMENTS.map(|(kind, _)| (kind, Buffer::of(&Tensor::zeros(sizes))));
    let count = (STEP, Buffer::of(&Tensor::zeros(&[])));
    moments.into_iter().chain([count]).collect()
}

/// Refuses what is not known how to carry over.
fn require_known(old: &Old<'_>) -> anyhow::Result<()> {
    let model = old.checked.model();
    let names: BTreeSet<String> =
        model.instances().into_iter().map(|tensor| model.instance_name(tensor)).collect();
    let kinds = MOMENTS.map(|(kind, _)| kind);
    for full in old.optimizer.names().into_iter().filter(|name| !name.starts_with(RANDOM)) {
        let is_known = full
            .rsplit_once('.')
            .is_some_and(|(name, kind)| names.contains(name) && (kind == STEP || kinds.contains(&kind)));
        if !is_known {
            bail!(
                "`{}` remembers `{full}`, and what that would be in another spec is not known",
                old.optimizer.path().display()
            );
        }
    }
    Ok(())
}
