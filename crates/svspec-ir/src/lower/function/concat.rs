//! `concat(a, b, …)`: channels side by side, of each head.

use super::{Call, FunctionKind, RegionBuilder};
use crate::lower::region::dims_text;
use crate::op::Concat;
use crate::op::concat::concat_dims;
use crate::{Dim, Op, ValueId};
use svspec_diagnostics::Diagnostic;

pub(super) const KIND: FunctionKind =
    FunctionKind { name: "concat", values: &["a", "b", "…"], numbers: &[], bounds: None, expand };

fn expand(region: &mut RegionBuilder<'_, '_>, call: &Call<'_>) -> Option<ValueId> {
    let inputs: Vec<&[Dim]> = call.values.iter().map(|&value| region.dims(value)).collect();
    let Some(dims) = concat_dims(&inputs, "channels") else {
        let shown: Vec<String> = inputs.iter().map(|dims| format!("`{}`", dims_text(dims))).collect();
        let mut finding = Diagnostic::error(
            "dimension-mismatch",
            format!("{} do not stand side by side", shown.join(" and ")),
        )
        .at(call.span, "of different heads");
        if let Some((first, dims)) = call.arguments.first().zip(shown.first()) {
            finding = finding.because(first.span, dims.clone());
        }
        region.report(finding.help(
            "all have the same number of heads, or one head, which stands beside each; `split_heads(x, 1)` \
             makes one head of channels without",
        ));
        return None;
    };
    let leading = dims.split_last().map_or(&[][..], |(_, leading)| leading).to_vec();
    let size = dims.last()?.size;
    let dims = leading.iter().cloned().chain([region.channels_dim(&leading, size)]).collect();
    region.node(&call.naming.name("joined"), Op::Concat(Concat), call.values.to_vec(), dims, "", call.span)
}
