//! `clamp(x, low, high)`: each entry brought between two bounds.

use super::{Amount, Argument, Bounds, Call, FunctionKind, Range, RegionBuilder};
use crate::op::Clamp;
use crate::{Op, ValueId};

pub(super) const KIND: FunctionKind = FunctionKind {
    name: "clamp",
    values: &["x"],
    numbers: &[
        Argument { name: "low", takes: Amount::Number(Range::Any) },
        Argument { name: "high", takes: Amount::Number(Range::Any) },
    ],
    bounds: Some(Bounds {
        nothing: "nothing",
        label: "the lower bound is not below the upper one",
        help: "write the lower bound first: `clamp(x, -8, 8)`",
    }),
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, call: &Call<'_>) -> Option<ValueId> {
    let [low, high] = call.numbers().map(Clone::clone);
    let op = Op::Clamp(Clamp { low, high });
    region.same_dims(&call.naming.name("clamped"), op, call.x(), "", call.span)
}
