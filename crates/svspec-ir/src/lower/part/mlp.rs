//! The plain feed-forward part: `down(act(up(x)))`.

use super::{
    ACTIVATION, BIAS, Own, PartKind, Ports, Preset, Setting, Takes, has_bias, no_check, operands, port_bias,
};
use crate::lower::linear::LinearMap;
use crate::lower::region::RegionBuilder;
use crate::resolve::Part;
use crate::{Activation, Dim, Op, Site, ValueId};

/// `mlp ffn { hidden = 3072, activation = gelu }`
pub const MLP: PartKind = PartKind {
    name: "mlp",
    summary: "feed-forward without a gate",
    inputs: &["x"],
    settings: &[
        Setting {
            name: "hidden",
            takes: Takes::Count,
            preset: Preset::Required,
            summary: "channels between the maps",
        },
        ACTIVATION,
        BIAS,
        port_bias("up.bias"),
        port_bias("down.bias"),
    ],
    ports: Ports::Named(&["up", "down"]),
    own: Own::Nothing,
    check: no_check,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let map =
        |port, out| LinearMap { port, out, has_bias: has_bias(part, port), out_site: Site::LinearOutput };
    let hidden = vec![Dim::new("hidden", part.count("hidden")?)];
    let up = region.linear(part, &map("up", hidden), x)?;
    let op = Op::Activation(Activation::named(part.word("activation")?)?);
    let name = format!("{}_hidden", part.name);
    let hidden = region.same_dims(&name, op, up, &part.name, part.span)?;
    let out = vec![region.width_dim()];
    region.linear(part, &map("down", out), hidden)
}
