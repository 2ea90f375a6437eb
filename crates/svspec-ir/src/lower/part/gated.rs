//! Gated feed-forward parts: `down(act(gate(x)) ⊙ up(x))` (GLU variants, arXiv 2002.05202).

use super::{
    ACTIVATION, BIAS, Own, PartKind, Ports, Preset, Setting, Takes, has_bias, no_check, operands, port_bias,
};
use crate::lower::linear::LinearMap;
use crate::lower::region::RegionBuilder;
use crate::op::Mul;
use crate::resolve::Part;
use crate::{Activation, Dim, Op, Site, ValueId};

/// `swiglu mlp { hidden = 2048 }`
pub const SWIGLU: PartKind = PartKind {
    name: "swiglu",
    summary: "gated feed-forward with silu",
    inputs: &["x"],
    settings: SETTINGS,
    ports: Ports::Named(&["gate", "up", "down"]),
    own: Own::Nothing,
    check: no_check,
    expand: |region, part, inputs| expand(region, part, inputs, Activation::Silu),
};

/// `geglu mlp { hidden = 2048 }`
pub const GEGLU: PartKind = PartKind {
    name: "geglu",
    summary: "gated feed-forward with the tanh approximation of gelu",
    inputs: &["x"],
    settings: SETTINGS,
    ports: Ports::Named(&["gate", "up", "down"]),
    own: Own::Nothing,
    check: no_check,
    expand: |region, part, inputs| expand(region, part, inputs, Activation::GeluTanh),
};

/// `gated mlp { hidden = 2048, activation = relu }`
pub const GATED: PartKind = PartKind {
    name: "gated",
    summary: "gated feed-forward with an activation of choice",
    inputs: &["x"],
    settings: &[
        HIDDEN,
        Setting { preset: Preset::Required, ..ACTIVATION },
        BIAS,
        port_bias("gate.bias"),
        port_bias("up.bias"),
        port_bias("down.bias"),
    ],
    ports: Ports::Named(&["gate", "up", "down"]),
    own: Own::Nothing,
    check: no_check,
    expand: |region, part, inputs| expand(region, part, inputs, Activation::named(part.word("activation")?)?),
};

/// Of the kinds that fix their activation.
const SETTINGS: &[Setting] =
    &[HIDDEN, BIAS, port_bias("gate.bias"), port_bias("up.bias"), port_bias("down.bias")];

const HIDDEN: Setting = Setting {
    name: "hidden",
    takes: Takes::Count,
    preset: Preset::Required,
    summary: "channels between the maps",
};

/// Adds the maps, with this activation on the gate.
pub(super) fn expand(
    region: &mut RegionBuilder<'_, '_>,
    part: &Part,
    inputs: &[ValueId],
    activation: Activation,
) -> Option<ValueId> {
    let [x] = operands(inputs);
    let hidden = vec![Dim::new("hidden", part.count("hidden")?)];
    let map =
        |port, out| LinearMap { port, out, has_bias: has_bias(part, port), out_site: Site::LinearOutput };
    let gate = region.linear(part, &map("gate", hidden.clone()), x)?;
    let up = region.linear(part, &map("up", hidden), x)?;
    let name = format!("{}_gate_activated", part.name);
    let gate =
        region.same_dims(&name, Op::Activation(activation), gate, &part.port_path("gate"), part.span)?;
    let name = format!("{}_hidden", part.name);
    let dims = region.dims(gate).to_vec();
    let product = region.node(&name, Op::Mul(Mul), vec![gate, up], dims, &part.name, part.span)?;
    let out = vec![region.width_dim()];
    region.linear(part, &map("down", out), product)
}
