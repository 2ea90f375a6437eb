//! Mixture of experts: a router chooses, for each token, some of several feed-forward parts
//! (arXiv 1701.06538, 2101.03961).

mod settings;

use super::{Own, PartKind, Ports, gated, operands};
use crate::lower::linear::{DEFAULT_STD, LinearMap};
use crate::lower::parameters::NewParam;
use crate::lower::region::RegionBuilder;
use crate::lower::side::SideLossKind;
use crate::op::{Choose, Combine, Correction, Dispatch, Gain, Groups, Over, Route, Scores, Weigh, choose};
use crate::resolve::Part;
use crate::{Activation, DefaultInit, Dim, Op, ParamKind, PerLayer, Site, ValueId};
use svspec_diagnostics::Diagnostic;

/// `moe experts { experts = 8, top_k = 2, hidden = 14_336 }`
pub const MOE: PartKind = PartKind {
    name: "moe",
    summary: "feed-forward by the experts that a router chooses for each token",
    inputs: &["x"],
    settings: settings::SETTINGS,
    ports: Ports::Named(&["router", "gate", "up", "down"]),
    own: Own::Nothing,
    check: settings::check,
    expand: |region, part, inputs| {
        let activation = Activation::named(part.word("activation")?)?;
        around(region, part, inputs, |region, tokens| gated::expand(region, part, &[tokens], activation))
    },
};

/// The mixture of the experts that `expert` makes of the tokens given to them.
pub(in crate::lower) fn around<'l, 'r>(
    region: &mut RegionBuilder<'l, 'r>,
    part: &Part,
    inputs: &[ValueId],
    expert: impl FnOnce(&mut RegionBuilder<'l, 'r>, ValueId) -> Option<ValueId>,
) -> Option<ValueId> {
    let [x] = operands(inputs);
    if region.chosen().is_some() {
        region.report(
            Diagnostic::error("not-an-expert", format!("`{}` is a mixture of experts itself", part.name))
                .at(part.span, "cannot be an expert")
                .help("an expert is a feed-forward part, or a part of a kind that a file defines"),
        );
        return None;
    }
    let logits = router(region, part, x)?;
    let chosen = choice(region, part, logits)?;
    let weights = weights(region, part, [logits, chosen])?;
    region.hand_on_router(&part.name, [logits, chosen], &losses(part)?, part.span)?;

    let name = |what: &str| format!("{}_{what}", part.name);
    let copies_dims = region.dims(chosen).iter().chain(region.dims(x)).cloned().collect();
    let op = Op::Dispatch(Dispatch);
    let mut tokens = region.node(&name("input"), op, vec![x, chosen], copies_dims, &part.name, part.span)?;
    let of_output = part.word("weigh")? == "output";
    if !of_output {
        let dims = region.dims(tokens).to_vec();
        let inputs = vec![tokens, weights, chosen];
        tokens =
            region.node(&name("weighed"), Op::Weigh(Weigh), inputs, dims, &part.name, part.place("weigh"))?;
    }
    let experts = Dim::new("experts", part.count("experts")?);
    let made = region.as_experts(experts, chosen, |region| expert(region, tokens))?;
    region.expect_copy(part, made)?;
    let width = vec![region.width_dim()];
    let inputs = if of_output { vec![made, weights, chosen] } else { vec![made, chosen] };
    let op = Op::Combine(Combine { weighted: of_output });
    region.node(&name("output"), op, inputs, width, &part.name, part.span)
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
    let has_bias = super::has_bias(part, "router");
    let map = LinearMap { port: "router", out, has_bias, out_site: Site::LinearOutput };
    region.tied_linear(part, &map, weight, x)
}

/// Which experts each token is given to.
fn choice(region: &mut RegionBuilder<'_, '_>, part: &Part, logits: ValueId) -> Option<ValueId> {
    let num_chosen = part.count("top_k")?;
    let correction = match part.number("correction.rate") {
        Some(rate) => {
            let param = region.param(NewParam {
                path: format!("{}.correction", part.name),
                kind: ParamKind::Correction,
                scale_part: None,
                dims: region.dims(logits).to_vec(),
                num_out_dims: 0,
                init: DefaultInit::constant(0.0),
                span: part.place("correction"),
            })?;
            let on_logits = part.word("correction.on")? == "logits";
            Some(Correction { param, rate, on_logits })
        }
        None => None,
    };
    let groups = match (part.count("groups.count"), part.count("groups.top_k")) {
        (Some(count), Some(num_chosen)) => {
            let num_summed = if part.word("groups.score")? == "top_2" { 2 } else { 1 };
            Some(Groups { count, num_chosen, num_summed })
        }
        (Some(_) | None, _) => None,
    };
    let op = Op::Choose(Choose { num_chosen, scores: scores(part)?, correction, groups });
    let dims = vec![Dim::new(choose::CHOSEN, num_chosen)];
    let path = part.port_path("router");
    region.node(&format!("{}_chosen", part.name), op, vec![logits], dims, &path, part.span)
}

/// What each chosen expert counts.
fn weights(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: [ValueId; 2]) -> Option<ValueId> {
    let [_, chosen] = inputs;
    let (path, name) = (part.port_path("router"), format!("{}_weights", part.name));
    let normalized = if part.word("normalize")? == "on" { Some(part.number("eps")?) } else { None };
    let op = Op::Route(Route { scores: scores(part)?, normalized });
    let dims = region.dims(chosen).to_vec();
    let weights = region.node(&name, op, inputs.to_vec(), dims, &path, part.place("router"))?;
    let factor = part.per_layer("scale")?;
    if factor == PerLayer::Uniform(1.0) {
        return Some(weights);
    }
    let op = Op::Gain(Gain { factor });
    region.same_dims(&format!("{name}_scaled"), op, weights, &path, part.place("scale"))
}

fn scores(part: &Part) -> Option<Scores> {
    Some(if part.word("router")? == "sigmoid" { Scores::Sigmoid } else { Scores::Softmax })
}

/// The losses that the router has beside the cross-entropy: what each is called, what it is, and what it counts.
fn losses(part: &Part) -> Option<Vec<(&'static str, SideLossKind, f64)>> {
    let mut losses = Vec::new();
    if let Some(coefficient) = part.number("balance.coefficient") {
        let over = match part.word("balance.over")? {
            "layer" => Over::Layer,
            "sequence" => Over::Sequence,
            _ => Over::All,
        };
        losses.push(("balance", SideLossKind::Balance(scores(part)?, over), coefficient));
    }
    if let Some(coefficient) = part.number("z_loss") {
        losses.push(("z_loss", SideLossKind::Z, coefficient));
    }
    Some(losses)
}
