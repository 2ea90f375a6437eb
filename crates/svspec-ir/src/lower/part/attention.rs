//! Causal self-attention: q, k, v, rotary positions, softmax attention, o.

mod settings;

use super::{Own, PartKind, Ports, attend, has_bias, operands, rope};
use crate::lower::linear::LinearMap;
use crate::lower::region::RegionBuilder;
use crate::op::{Clamp, Rope};
use crate::resolve::Part;
use crate::{Dim, Op, PerLayer, Site, ValueId};
use settings::SETTINGS;
use svspec_diagnostics::Diagnostic;

/// `attention attn { heads = 12, rope }`
pub const ATTENTION: PartKind = PartKind {
    name: "attention",
    summary: "causal self-attention, grouped where `kv_heads` is less than `heads`",
    inputs: &["x"],
    settings: SETTINGS,
    ports: Ports::Named(&["q", "k", "v", "o"]),
    own: Own::Nothing,
    check,
    expand,
};

fn check(part: &Part, width: usize, findings: &mut Vec<Diagnostic>) {
    let name = &part.name;
    let Some(heads) = part.count("heads") else { return };
    if !part.has("head_dim") && !width.is_multiple_of(heads) {
        let nearest = nearest_divisor(width, heads);
        findings.push(
            Diagnostic::error(
                "heads-not-divisible",
                format!("width {width} is not a multiple of {heads} heads"),
            )
            .at(part.place("heads"), format!("{width} / {heads} = {:.3}", width as f64 / heads as f64))
            .because(part.span, format!("`{name}` gives each head `width / heads` channels"))
            .help(format!(
                "write `heads = {nearest}`, or say the size of a head: `head_dim = {}`",
                width / heads
            )),
        );
    }
    if let Some(kv_heads) = part.count("kv_heads")
        && (kv_heads > heads || !heads.is_multiple_of(kv_heads))
    {
        let nearest = nearest_divisor(heads, kv_heads);
        findings.push(
            Diagnostic::error(
                "kv-heads-not-divisible",
                format!("{heads} query heads cannot share {kv_heads} key and value heads evenly"),
            )
            .at(part.place("kv_heads"), format!("{kv_heads} does not divide {heads}"))
            .because(part.place("heads"), format!("{heads} query heads"))
            .help(format!("write `kv_heads = {nearest}`")),
        );
    }
    if part.has("rope") {
        findings.extend(part.count("head_dim").and_then(|size| rope::misfit(part, "rope.", size)));
        rope::check(part, "rope.", findings);
    }
}

/// The rotation; `None` without `rope`, or where `check` found a fault.
fn rope(part: &Part, head_dim: usize) -> Option<Rope> {
    if part.has("rope") { rope::rope(part, "rope.", head_dim) } else { None }
}

/// The divisor of `whole` that is nearest to `wanted`, the smaller of two.
fn nearest_divisor(whole: usize, wanted: usize) -> usize {
    let below = (1..=wanted.min(whole)).rev().find(|candidate| whole.is_multiple_of(*candidate)).unwrap_or(1);
    let above = (wanted..=whole).take(wanted - below).find(|candidate| whole.is_multiple_of(*candidate));
    above.unwrap_or(below)
}

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let head_dim = Dim::new("head_dim", part.count("head_dim")?);
    let q_dims = vec![Dim::new("heads", part.count("heads")?), head_dim.clone()];
    let kv_dims = vec![Dim::new("kv_heads", part.count("kv_heads")?), head_dim.clone()];
    let project = |port, out, out_site| LinearMap { port, out, has_bias: has_bias(part, port), out_site };
    let mut query = region.linear(part, &project("q", q_dims, Site::QkHead), x)?;
    let mut key = region.linear(part, &project("k", kv_dims.clone(), Site::QkHead), x)?;
    let mut value = region.linear(part, &project("v", kv_dims, Site::LinearOutput), x)?;
    if let Some(bound) = part.per_layer("clip") {
        for (port, projected) in [("q", &mut query), ("k", &mut key), ("v", &mut value)] {
            *projected = clip(region, part, port, &bound, *projected)?;
        }
    }
    if let Some(rope) = rope(part, head_dim.size) {
        query = rotate(region, part, "q", rope.clone(), query)?;
        key = rotate(region, part, "k", rope, key)?;
    }
    let context = attend::context(region, part, &format!("{}_context", part.name), [query, key, value])?;
    let out = vec![region.width_dim()];
    let map = LinearMap { port: "o", out, has_bias: has_bias(part, "o"), out_site: Site::LinearOutput };
    region.linear(part, &map, context)
}

fn clip(
    region: &mut RegionBuilder<'_, '_>,
    part: &Part,
    port: &str,
    bound: &PerLayer,
    projected: ValueId,
) -> Option<ValueId> {
    let name = format!("{}_{port}_clipped", part.name);
    let clamp = Op::Clamp(Clamp { low: bound.map(|bound| -bound), high: bound.clone() });
    region.same_dims(&name, clamp, projected, &part.port_path(port), part.place("clip"))
}

fn rotate(
    region: &mut RegionBuilder<'_, '_>,
    part: &Part,
    port: &str,
    rope: Rope,
    heads: ValueId,
) -> Option<ValueId> {
    let name = format!("{}_{port}_rotated", part.name);
    region.same_dims(&name, Op::Rope(rope), heads, &part.port_path(port), part.place("rope"))
}
