//! Values that a new run begins with and the norms that its rules keep at 1 in; whether the run would begin there, out.

use super::{Buffer, Old};
use anyhow::bail;
use svspec_ir::eval::Tensor;
use svspec_ir::migrate::{self, How, Step};
use svspec_ir::{CheckedModel, Instance, Unit};

/// How far from 1 a norm may be: what a trainer leaves after its division in 32 bits.
const TOLERANCE: f64 = 1e-4;

/// Refuses values that the new run's first step would bring to norm 1: the function would not stay. Nothing is asked of a tensor
/// that the old run kept there and that is only copied.
pub(super) fn require(old: &Old<'_>, new: &CheckedModel, step: &Step, value: &Buffer) -> anyhow::Result<()> {
    let Some(unit) = unit(new, step.tensor) else { return Ok(()) };
    let is_kept = match step.how {
        How::Copy(own) => {
            self::unit(old.checked, own) == Some(unit)
                && migrate::sizes(old.checked.model(), own) == migrate::sizes(new.model(), step.tensor)
        }
        How::Multiplied(..) | How::Gamma { .. } | How::Identity { .. } => false,
    };
    let param = new.model().params.get(step.tensor.param.0);
    let Some(axes) = param.and_then(|param| unit.axes(param)).filter(|_| !is_kept) else { return Ok(()) };
    let value = value.numbers();
    let mut brought = value.clone();
    brought.normalize(axes);
    let farthest = farthest(&value, &brought);
    if farthest > TOLERANCE {
        let name = new.model().instance_name(step.tensor);
        let path = param.map_or("", |param| param.path.as_str());
        bail!(
            "`{name}` is to have {} of norm 1 in `{}`, and an entry of it would change by {farthest:.2e} on the way there: the \
             function would not stay; write `unit off on {path}`, or begin anew",
            unit.name(),
            new.model().name,
        );
    }
    Ok(())
}

fn unit(checked: &CheckedModel, tensor: Instance) -> Option<Unit> {
    checked.assignments().iter().find(|assignment| assignment.instance == tensor)?.unit
}

/// The largest difference of two entries.
fn farthest(a: &Tensor, b: &Tensor) -> f64 {
    a.data.iter().zip(&b.data).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
