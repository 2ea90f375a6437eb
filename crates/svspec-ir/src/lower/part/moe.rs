//! Mixture of experts: a router chooses, for each token, some of several gated feed-forward parts
//! (arXiv 1701.06538, 2101.03961).

use super::{Own, PartKind, Ports, Preset, Range, Setting, Takes, activation, operands};
use crate::lower::linear::{DEFAULT_STD, LinearMap};
use crate::lower::parameters::NewParam;
use crate::lower::region::RegionBuilder;
use crate::op::{Choose, Combine, Dispatch, ExpertLinear, Gain, Gating, Mul, Route, choose};
use crate::resolve::{Part, Place};
use crate::{DefaultInit, Dim, Op, ParamKind, PerLayer, Site, ValueId};
use svspec_diagnostics::Diagnostic;

/// `moe experts { experts = 8, top_k = 2, hidden = 14_336 }`
pub const MOE: PartKind = PartKind {
    name: "moe",
    summary: "gated feed-forward by the experts that a router chooses for each token",
    inputs: &["x"],
    settings: &[
        Setting {
            name: "experts",
            takes: Takes::Count,
            preset: Preset::Required,
            summary: "how many experts there are",
        },
        Setting {
            name: "top_k",
            takes: Takes::Count,
            preset: Preset::Required,
            summary: "how many each token is given to",
        },
        Setting {
            name: "hidden",
            takes: Takes::Count,
            preset: Preset::Required,
            summary: "channels between the maps of one expert",
        },
        Setting {
            name: "activation",
            takes: Takes::Word(&["silu", "gelu", "gelu_tanh", "relu", "relu2", "tanh", "sigmoid"]),
            preset: Preset::Word("silu"),
            summary: "the non-linearity on the gate",
        },
        Setting {
            name: "router",
            takes: Takes::Word(&["softmax", "sigmoid"]),
            preset: Preset::Word("softmax"),
            summary: "what makes weights of the router's logits: the softmax over all experts, or the sigmoid of each",
        },
        Setting {
            name: "normalize",
            takes: Takes::Word(&["on", "off"]),
            preset: Preset::Word("on"),
            summary: "divides the weights of the chosen experts by their sum",
        },
        Setting {
            name: "scale",
            takes: Takes::NumberPerLayer(Range::Positive),
            preset: Preset::Number(1.0),
            summary: "multiplies the weights",
        },
        Setting {
            name: "bias",
            takes: Takes::Word(&["off", "router"]),
            preset: Preset::Word("off"),
            summary: "`router`: an additive vector on the router's logits",
        },
    ],
    ports: Ports::Named(&["router", "gate", "up", "down"]),
    own: Own::Nothing,
    check,
    expand,
};

fn check(part: &Part, _: usize, findings: &mut Vec<Diagnostic>) {
    let (Some(experts), Some(top_k)) = (part.count("experts"), part.count("top_k")) else { return };
    if top_k > experts {
        let message = format!("`{}.top_k` is {top_k}; there are {experts} experts to choose from", part.name);
        findings.push(
            Diagnostic::error("out-of-range", message)
                .at(part.place("top_k"), "too large")
                .because(part.place("experts"), format!("{experts} experts"))
                .help(format!("write `top_k = {experts}` or less, or more `experts`")),
        );
    }
}

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let logits = router(region, part, x)?;
    let name = |what: &str| format!("{}_{what}", part.name);
    let (path, span) = (part.port_path("router"), part.span);
    let num_chosen = part.count("top_k")?;
    let chosen_dims = vec![Dim::new(choose::CHOSEN, num_chosen)];
    let op = Op::Choose(Choose { num_chosen });
    let chosen = region.node(&name("chosen"), op, vec![logits], chosen_dims.clone(), &path, span)?;
    let op = Op::Route(Route { gating: gating(part)? });
    let mut weights =
        region.node(&name("weights"), op, vec![logits, chosen], chosen_dims, &path, part.place("router"))?;
    let factor = part.per_layer("scale")?;
    if factor != PerLayer::Uniform(1.0) {
        let op = Op::Gain(Gain { factor });
        weights = region.same_dims(&name("weights_scaled"), op, weights, &path, part.place("scale"))?;
    }

    let copies_dims = region.dims(chosen).iter().chain(region.dims(x)).cloned().collect();
    let op = Op::Dispatch(Dispatch);
    let copies = region.node(&name("input"), op, vec![x, chosen], copies_dims, &part.name, span)?;
    let hidden = Dim::new("hidden", part.count("hidden")?);
    let gate = expert_linear(region, part, "gate", &hidden, [copies, chosen])?;
    let up = expert_linear(region, part, "up", &hidden, [copies, chosen])?;
    let op = Op::Activation(activation(part.word("activation")?)?);
    let gate = region.same_dims(&name("gate_activated"), op, gate, &part.port_path("gate"), span)?;
    let hidden_dims = region.dims(gate).to_vec();
    let product =
        region.node(&name("hidden"), Op::Mul(Mul), vec![gate, up], hidden_dims, &part.name, span)?;
    let width = region.width_dim();
    let down = expert_linear(region, part, "down", &width, [product, chosen])?;
    let inputs = vec![down, weights, chosen];
    region.node(&name("output"), Op::Combine(Combine), inputs, vec![width], &part.name, span)
}

/// The logits.
fn router(region: &mut RegionBuilder<'_, '_>, part: &Part, x: ValueId) -> Option<ValueId> {
    let out = vec![Dim::new("experts", part.count("experts")?)];
    let weight = region.param(NewParam {
        path: format!("{}.weight", part.port_path("router")),
        kind: ParamKind::Router,
        scale_part: None,
        dims: out.iter().chain(region.dims(x)).cloned().collect(),
        num_out_dims: 1,
        init: DefaultInit::Normal { std: DEFAULT_STD },
        span: part.span,
    })?;
    let has_bias = part.word("bias")? == "router";
    let map = LinearMap { port: "router", out, has_bias, out_site: Site::LinearOutput };
    region.tied_linear(part, &map, weight, x)
}

/// Normalised, the softmax over all experts is the softmax over the chosen.
fn gating(part: &Part) -> Option<Gating> {
    let is_normalized = part.word("normalize")? == "on";
    Some(match (part.word("router")? == "sigmoid", is_normalized) {
        (false, false) => Gating::Softmax,
        (false, true) => Gating::SoftmaxOfChosen,
        (true, false) => Gating::Sigmoid,
        (true, true) => Gating::SigmoidNormalized,
    })
}

/// The experts' linear maps of one port, with what is placed there, which all experts share.
fn expert_linear(
    region: &mut RegionBuilder<'_, '_>,
    part: &Part,
    port: &'static str,
    out: &Dim,
    [copies, chosen]: [ValueId; 2],
) -> Option<ValueId> {
    let copies = region.stage(part, Place::In(port), Site::LinearInput, copies)?;
    let path = part.port_path(port);
    let num_in = region.dims(copies).last()?.clone();
    let weight = region.param(NewParam {
        path: format!("{path}.weight"),
        kind: ParamKind::Weight,
        scale_part: None,
        dims: vec![Dim::new("experts", part.count("experts")?), out.clone(), num_in],
        num_out_dims: 2,
        init: DefaultInit::Normal { std: DEFAULT_STD },
        span: part.span,
    })?;
    let dims = region.dims(chosen).iter().chain([out]).cloned().collect();
    let op = Op::ExpertLinear(ExpertLinear { weight });
    let y = region.node(&path.replace('.', "_"), op, vec![copies, chosen], dims, &path, part.span)?;
    region.stage(part, Place::Out(port), Site::LinearOutput, y)
}
