//! The implicit part `unembed`: residual stream to logits, with the embedding table where the head is tied.

use super::{BIAS, Own, PartKind, Ports, has_bias, no_check, operands};
use crate::lower::linear::LinearMap;
use crate::lower::region::RegionBuilder;
use crate::resolve::Part;
use crate::{Site, ValueId};

/// Not declared; every model has it.
pub const UNEMBED: PartKind = PartKind {
    name: "unembed",
    summary: "the linear map to the logits",
    inputs: &["x"],
    settings: &[BIAS],
    ports: Ports::Itself,
    own: Own::Nothing,
    check: no_check,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let out = vec![region.vocab_dim()];
    let map = LinearMap { port: "", out, has_bias: has_bias(part, ""), out_site: Site::LinearOutput };
    match region.tied_table() {
        Some(table) => {
            region.expect_embed_width(x)?;
            region.tied_linear(part, &map, table, x)
        }
        None => region.linear(part, &map, x),
    }
}
