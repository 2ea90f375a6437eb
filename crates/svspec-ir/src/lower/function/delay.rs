//! `delay(x, tokens)`: the value so many tokens before.

use super::{Amount, Argument, Call, FunctionKind, RegionBuilder};
use crate::op::Delay;
use crate::{Op, ValueId};

pub(super) const KIND: FunctionKind = FunctionKind {
    name: "delay",
    values: &["x"],
    numbers: &[Argument { name: "tokens", takes: Amount::Size }],
    bounds: None,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, call: &Call<'_>) -> Option<ValueId> {
    let [steps] = call.sizes(region);
    region.same_dims(&call.naming.name("delayed"), Op::Delay(Delay { steps }), call.x(), "", call.span)
}
