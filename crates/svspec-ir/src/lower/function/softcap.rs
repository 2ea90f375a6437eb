//! `softcap(x, cap)`: `cap · tanh(x / cap)`.

use super::{Amount, Argument, Call, FunctionKind, Range, RegionBuilder};
use crate::op::SoftCap;
use crate::{Op, ValueId};

pub(super) const KIND: FunctionKind = FunctionKind {
    name: "softcap",
    values: &["x"],
    numbers: &[Argument { name: "cap", takes: Amount::Number(Range::Positive) }],
    bounds: None,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, call: &Call<'_>) -> Option<ValueId> {
    let [cap] = call.numbers();
    let op = Op::SoftCap(SoftCap { cap: cap.clone() });
    region.same_dims(&call.naming.name("capped"), op, call.x(), "", call.span)
}
