//! The `linear` part: one matrix.

use super::{BIAS, Own, PartKind, Ports, Preset, Setting, Takes, has_bias, no_check, operands};
use crate::lower::linear::LinearMap;
use crate::lower::region::RegionBuilder;
use crate::resolve::Part;
use crate::{Dim, Site, ValueId};

/// `linear bottleneck { out = 64 }`, `linear q { heads = 12, out = 64 }`
pub const LINEAR: PartKind = PartKind {
    name: "linear",
    summary: "one linear map",
    inputs: &["x"],
    settings: &[
        Setting {
            name: "out",
            takes: Takes::Count,
            preset: Preset::Required,
            summary: "output channels, of each head where there are heads",
        },
        Setting {
            name: "heads",
            takes: Takes::Count,
            preset: Preset::Absent,
            summary: "heads of the output",
        },
        BIAS,
    ],
    ports: Ports::Itself,
    own: Own::Nothing,
    check: no_check,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let size = part.count("out")?;
    let out = match part.count("heads") {
        Some(heads) => vec![Dim::new("heads", heads), Dim::new("head_dim", size)],
        None => vec![region.out_dim(&part.name, size)],
    };
    region.linear(
        part,
        &LinearMap { port: "", out, has_bias: has_bias(part, ""), out_site: Site::LinearOutput },
        x,
    )
}
