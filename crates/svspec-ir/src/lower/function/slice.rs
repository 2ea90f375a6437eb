//! `slice(x, start, end)`: channels, of each head.

use super::{Amount, Argument, Bounds, Call, FunctionKind, RegionBuilder};
use crate::lower::region::dims_text;
use crate::op::Slice;
use crate::{Op, ValueId};
use svspec_diagnostics::Diagnostic;

pub(super) const KIND: FunctionKind = FunctionKind {
    name: "slice",
    values: &["x"],
    numbers: &[
        Argument { name: "start", takes: Amount::SizeFromZero },
        Argument { name: "end", takes: Amount::SizeFromZero },
    ],
    bounds: Some(Bounds {
        nothing: "no channel",
        label: "the start is not below the end",
        help: "channels are counted from 0, and the end is the first that is left out: `slice(x, 0, 16)`",
    }),
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, call: &Call<'_>) -> Option<ValueId> {
    let [start, end] = call.sizes(region);
    let x = call.x();
    let (last, leading) = region.dims(x).split_last().map(|(last, leading)| (last.size, leading.to_vec()))?;
    if end > last {
        let message = format!("channels {start} to {end} are asked for of `{}`", dims_text(region.dims(x)));
        region.report(
            Diagnostic::error("dimension-mismatch", message)
                .at(call.span, format!("the last channel is {}", last - 1))
                .help(format!("the end is at most {last}")),
        );
        return None;
    }
    let dim = region.channels_dim(&leading, end - start);
    let dims = leading.into_iter().chain([dim.clone()]).collect();
    let op = Op::Slice(Slice { start, dims: vec![dim] });
    region.node(&call.naming.name("slice"), op, vec![x], dims, "", call.span)
}
