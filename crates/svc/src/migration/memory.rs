//! What the optimizer remembers: the old run's tensors by name in, the new run's out. `NAME.first_moment`, `NAME.second_moment`
//! and `NAME.step` belong to the parameter NAME; what begins with `rng.` to no parameter.

use super::Old;
use super::files::Buffer;
use anyhow::bail;
use std::collections::BTreeSet;
use svspec_ir::CheckedModel;
use svspec_ir::eval::Tensor;
use svspec_ir::migrate::{self, Memory, Moment, Plan, Step};

/// One of the things that are remembered of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An average of the gradient, of the tensor's sizes.
    Moment(Moment),
    /// The steps taken, a number.
    Count,
}

/// What AdamW remembers, by name.
const ADAMW: [(&str, Kind); 3] = [
    ("first_moment", Kind::Moment(Moment::First)),
    ("second_moment", Kind::Moment(Moment::Second)),
    ("step", Kind::Count),
];

/// What belongs to no parameter.
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

/// What is remembered of a tensor, by name, where that goes on.
fn remembered(old: &Old<'_>, step: &Step) -> anyhow::Result<Option<Vec<(&'static str, Buffer)>>> {
    let Some(source) = step.memory.source() else { return Ok(None) };
    let model = old.checked.model();
    let mut all = Vec::new();
    for (suffix, kind) in ADAMW {
        let full = format!("{}.{suffix}", model.instance_name(source));
        let buffer = match (&step.memory, kind) {
            (Memory::Kept(_), _) | (_, Kind::Count) => old.optimizer.copy(&full)?,
            (Memory::Rescaled(..) | Memory::Restarts(_) | Memory::New, Kind::Moment(which)) => {
                let moment = old.optimizer.value(&full, migrate::sizes(model, source))?;
                match step.memory.moment(model, which, &moment, &old.vectors) {
                    Some(moment) => Buffer::of(&moment),
                    None => return Ok(None),
                }
            }
        };
        all.push((suffix, buffer));
    }
    Ok(Some(all))
}

/// What an optimizer remembers before its first step.
fn fresh(sizes: &[usize]) -> Vec<(&'static str, Buffer)> {
    let zeros = |kind: Kind| match kind {
        Kind::Moment(_) => Tensor::zeros(sizes),
        Kind::Count => Tensor::zeros(&[]),
    };
    ADAMW.map(|(suffix, kind)| (suffix, Buffer::of(&zeros(kind)))).into()
}

/// Refuses what is not known how to carry over.
fn require_known(old: &Old<'_>) -> anyhow::Result<()> {
    let model = old.checked.model();
    let names: BTreeSet<String> =
        model.instances().into_iter().map(|tensor| model.instance_name(tensor)).collect();
    for full in old.optimizer.names().into_iter().filter(|name| !name.starts_with(RANDOM)) {
        let is_known = full.rsplit_once('.').is_some_and(|(name, suffix)| {
            names.contains(name) && ADAMW.iter().any(|(known, _)| *known == suffix)
        });
        if !is_known {
            bail!(
                "`{}` remembers `{full}`, and what that would be in another spec is not known",
                old.optimizer.path().display()
            );
        }
    }
    Ok(())
}
