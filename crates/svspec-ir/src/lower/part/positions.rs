//! The `positions` part: a learned vector for each position, to be added to the embedding.

use super::{Own, PartKind, Ports, Preset, Setting, Takes, no_check, operands};
use crate::lower::linear::DEFAULT_STD;
use crate::lower::parameters::NewParam;
use crate::lower::region::RegionBuilder;
use crate::op::Positions;
use crate::resolve::Part;
use crate::{DefaultInit, Dim, Op, ParamKind, ValueId};
use svspec_diagnostics::Diagnostic;

/// `positions pos { offset = 2 }`
pub const POSITIONS: PartKind = PartKind {
    name: "positions",
    summary: "a learned vector for each position",
    inputs: &["tokens"],
    settings: &[
        Setting {
            name: "length",
            takes: Takes::Count,
            preset: Preset::Derived { formula: "context", compute: |sibling| sibling("context") },
            summary: "how many positions have a vector",
        },
        Setting {
            name: "offset",
            takes: Takes::CountFromZero,
            preset: Preset::Absent,
            summary: "rows of the table before the first position's",
        },
    ],
    ports: Ports::None,
    own: Own::Nothing,
    check: no_check,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [tokens] = operands(inputs);
    let (length, offset) = (part.count("length")?, part.count("offset").unwrap_or(0));
    let context = region.context();
    if length < context {
        let message = format!("`{}` has {length} positions, the context {context}", part.name);
        region.report(
            Diagnostic::error("out-of-range", message)
                .at(part.place("length"), "too few")
                .help(format!("write `length = {context}` or more, or leave it out")),
        );
        return None;
    }
    let width = region.width_dim();
    let table = region.param(NewParam {
        path: format!("{}.weight", part.name),
        kind: ParamKind::Embedding,
        scale_part: None,
        dims: vec![Dim::new("positions", length + offset), width.clone()],
        num_out_dims: 0,
        init: DefaultInit::Normal { std: DEFAULT_STD },
        span: part.span,
    })?;
    let op = Op::Positions(Positions { table, offset });
    region.node(&part.name, op, vec![tokens], vec![width], &part.name, part.span)
}
