//! The plain feed-forward part: `down(act(up(x)))`.

use super::{BIAS, Own, PartKind, Ports, Preset, Setting, Takes, activation, no_check, operands};
use crate::lower::linear::LinearMap;
use crate::lower::region::RegionBuilder;
use crate::resolve::Part;
use crate::{Dim, Op, Site, ValueId};

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
        Setting {
            name: "activation",
            takes: Takes::Word(&["gelu", "gelu_tanh", "silu", "relu", "relu2", "tanh", "sigmoid"]),
            preset: Preset::Word("gelu"),
            summary: "the non-linearity",
        },
        BIAS,
    ],
    ports: Ports::Named(&["up", "down"]),
    own: Own::Nothing,
    check: no_check,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let has_bias = part.word("bias")? == "on";
    let map = |port, out| LinearMap { port, out, has_bias, out_site: Site::LinearOutput };
    let hidden = vec![Dim::new("hidden", part.count("hidden")?)];
    let up = region.linear(part, &map("up", hidden), x)?;
    let op = Op::Activation(activation(part.word("activation")?)?);
    let name = format!("{}_hidden", part.name);
    let hidden = region.same_dims(&name, op, up, &part.name, part.span)?;
    let out = vec![region.width_dim()];
    region.linear(part, &map("down", out), hidden)
}
