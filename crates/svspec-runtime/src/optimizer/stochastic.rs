//! A step of an algorithm in f32 for tensors and memories in bf16: widened, stepped, and rounded stochastically, few at a time.

use super::{Group, Rates};
use crate::ffi::{self, TorchError, Way};
use crate::random;
use crate::unit;
use tch::{Kind, Tensor};

/// Which run and step it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    pub(super) seed: u64,
    pub(super) step: u64,
}

impl Moment {
    /// The seed of what is called `name` in this step.
    fn seed(self, name: &str) -> u64 {
        random::at(random::named(self.seed, name), self.step)
    }
}

/// One step of a group whose tensors are bf16, brought back to norm 1 where they are to have it, before they are rounded.
pub(super) fn step(
    group: &Group,
    gradients: &[Tensor],
    rates: Rates,
    moment: Moment,
    skip: &Tensor,
) -> Result<(), TorchError> {
    let Group { rule, names, params, units, .. } = group;
    for part in rule.parts() {
        let of = |list: &[Tensor]| -> Vec<Tensor> {
            part.iter().filter_map(|&index| list.get(index)).map(wide).collect()
        };
        let (wide_params, wide_gradients) = (of(params), of(gradients));
        let wide_rule = rule.widened(&part);
        wide_rule.step(&wide_params, &wide_gradients, rates, skip)?;
        let axes: Vec<_> = part.iter().map(|&index| units.get(index).copied().flatten()).collect();
        unit::normalize_all(&wide_params, &axes, skip)?;
        for (&index, wide) in part.iter().zip(&wide_params) {
            round(params.get(index), wide, moment, names.get(index), "rounding")?;
        }
        for ((kind, narrow), (_, wide)) in rule.memory().into_iter().zip(wide_rule.memory()) {
            for (&index, wide) in part.iter().zip(wide) {
                round(narrow.get(index), wide, moment, names.get(index), kind)?;
            }
        }
    }
    Ok(())
}

/// In f32; the same tensor if it is that already.
pub(super) fn wide(tensor: &Tensor) -> Tensor {
    tensor.detach().to_kind(Kind::Float)
}

/// Rounds `wide` to `narrow`, if that is narrower.
fn round(
    narrow: Option<&Tensor>,
    wide: &Tensor,
    moment: Moment,
    name: Option<&String>,
    what: &str,
) -> Result<(), TorchError> {
    match (narrow, name) {
        (Some(narrow), Some(name)) if narrow.kind() == Kind::BFloat16 => {
            let seed = moment.seed(&format!("{name}.{what}"));
            ffi::round_stochastically(&narrow.detach(), &wide.contiguous(), seed, Way::Fastest)
        }
        (_, _) => Ok(()),
    }
}
