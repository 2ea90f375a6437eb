//! `join_heads(x)`: heads side by side.

use super::{Call, FunctionKind, RegionBuilder};
use crate::lower::region::dims_text;
use crate::op::View;
use crate::{Dims, Op, ValueId};
use svspec_diagnostics::Diagnostic;

pub(super) const KIND: FunctionKind =
    FunctionKind { name: "join_heads", values: &["x"], numbers: &[], bounds: None, expand };

fn expand(region: &mut RegionBuilder<'_, '_>, call: &Call<'_>) -> Option<ValueId> {
    let (x, span) = (call.x(), call.span);
    let [heads, head_dim] = region.dims(x) else {
        let found = dims_text(region.dims(x));
        region.report(
            Diagnostic::error("dimension-mismatch", format!("`{found}` has no heads to join"))
                .at(span, "already flat")
                .help("a `linear` part with `heads`, `split_heads` and `attend` give values with heads"),
        );
        return None;
    };
    let size = heads.size * head_dim.size;
    let dims: Dims = vec![region.channels_dim(&[], size)];
    region.node(&call.naming.name("joined"), Op::View(View { dims: dims.clone() }), vec![x], dims, "", span)
}
