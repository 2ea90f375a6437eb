//! `split_heads(x, heads)`: channels as heads of equally many.

use super::{Amount, Argument, Call, FunctionKind, RegionBuilder};
use crate::lower::region::dims_text;
use crate::op::View;
use crate::{Dim, Op, ValueId};
use svspec_diagnostics::Diagnostic;

pub(super) const KIND: FunctionKind = FunctionKind {
    name: "split_heads",
    values: &["x"],
    numbers: &[Argument { name: "heads", takes: Amount::Size }],
    bounds: None,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, call: &Call<'_>) -> Option<ValueId> {
    let [heads] = call.sizes(region);
    let (x, span) = (call.x(), call.span);
    let [channels] = region.dims(x) else {
        let found = dims_text(region.dims(x));
        region.report(
            Diagnostic::error("dimension-mismatch", format!("`{found}` has heads already"))
                .at(span, "split again")
                .help("`join_heads(x)` puts heads side by side"),
        );
        return None;
    };
    let channels = channels.size;
    if !channels.is_multiple_of(heads) {
        let message = format!("{channels} channels are not a multiple of {heads} heads");
        region.report(
            Diagnostic::error("heads-not-divisible", message)
                .at(span, format!("{channels} / {heads} = {:.3}", channels as f64 / heads as f64))
                .help("choose a number of heads that divides the channels"),
        );
        return None;
    }
    let dims = vec![Dim::new("heads", heads), Dim::new("head_dim", channels / heads)];
    region.node(&call.naming.name("heads"), Op::View(View { dims: dims.clone() }), vec![x], dims, "", span)
}
