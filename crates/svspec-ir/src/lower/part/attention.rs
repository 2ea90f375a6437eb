//! Causal self-attention: q, k, v, rotary positions, softmax attention, o.

use super::{Own, PartKind, Ports, Preset, Range, Setting, Takes, operands};
use crate::lower::linear::LinearMap;
use crate::lower::region::RegionBuilder;
use crate::op::{Attention, Rope};
use crate::resolve::Part;
use crate::{Dim, Op, Site, ValueId};
use svspec_diagnostics::Diagnostic;

/// `attention attn { heads = 12, rope }`
pub const ATTENTION: PartKind = PartKind {
    name: "attention",
    summary: "causal self-attention, grouped where `kv_heads` is less than `heads`",
    inputs: &["x"],
    settings: &[
        Setting { name: "heads", takes: Takes::Count, preset: Preset::Required, summary: "query heads" },
        Setting {
            name: "kv_heads",
            takes: Takes::Count,
            preset: Preset::Derived { formula: "heads", compute: |sibling| sibling("heads") },
            summary: "key and value heads; fewer than `heads` is grouped-query attention",
        },
        Setting {
            name: "head_dim",
            takes: Takes::Count,
            preset: Preset::Derived {
                formula: "width / heads",
                // Where it does not divide, `check` says so; nothing else should.
                compute: |sibling| {
                    let head_dim = sibling("width")? / sibling("heads")?;
                    (head_dim.fract() == 0.0).then_some(head_dim)
                },
            },
            summary: "channels of each head",
        },
        Setting {
            name: "rope",
            takes: Takes::Block,
            preset: Preset::Absent,
            summary: "rotary positions on q and k, in the half-split layout",
        },
        Setting {
            name: "rope.theta",
            takes: Takes::Number(Range::Positive),
            preset: Preset::Number(10_000.0),
            summary: "the base of the rotation's frequencies",
        },
        Setting {
            name: "rope.fraction",
            takes: Takes::Number(Range::Fraction),
            preset: Preset::Number(1.0),
            summary: "the part of `head_dim` that rotates",
        },
        Setting {
            name: "bias",
            takes: Takes::Word(&["on", "off", "qkv"]),
            preset: Preset::Word("off"),
            summary: "additive vectors: on q, k, v and o, on none, or on q, k and v",
        },
        Setting {
            name: "scale",
            takes: Takes::Number(Range::Positive),
            preset: Preset::Derived {
                formula: "1 / sqrt(head_dim)",
                compute: |sibling| sibling("head_dim").map(|head_dim| 1.0 / head_dim.sqrt()),
            },
            summary: "multiplies the scores",
        },
        Setting {
            name: "window",
            takes: Takes::Count,
            preset: Preset::Absent,
            summary: "each query sees this many positions up to its own; `none`: all",
        },
        Setting {
            name: "soft_cap",
            takes: Takes::Number(Range::Positive),
            preset: Preset::Absent,
            summary: "bounds the scores: `cap · tanh(score / cap)`",
        },
    ],
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
    if let Some(head_dim) = part.count("head_dim")
        && let Some(fraction) = part.number("rope.fraction")
        && part.has("rope")
    {
        let rotary_dim = head_dim as f64 * fraction;
        if rotary_dim.fract() != 0.0 || !(rotary_dim as usize).is_multiple_of(2) || rotary_dim < 2.0 {
            let written =
                ["rope.fraction", "head_dim", "heads"].into_iter().find(|setting| part.is_written(setting));
            findings.push(
                Diagnostic::error(
                    "odd-rotary-dim",
                    format!(
                        "rotary positions turn pairs of channels, but {rotary_dim} of {head_dim} would turn"
                    ),
                )
                .at(
                    part.place(written.unwrap_or("rope")),
                    format!("`head_dim` {head_dim}, `fraction` {fraction}"),
                )
                .because(part.place("rope"), "rotary positions asked for here")
                .help(
                    "choose `heads` or `head_dim` so that `head_dim * fraction` is even, or leave `rope` out",
                ),
            );
        }
    }
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
    let bias = part.word("bias")?;
    let project = |port, out, out_site| LinearMap { port, out, has_bias: bias != "off", out_site };
    let mut query = region.linear(part, &project("q", q_dims.clone(), Site::QkHead), x)?;
    let mut key = region.linear(part, &project("k", kv_dims.clone(), Site::QkHead), x)?;
    let value = region.linear(part, &project("v", kv_dims, Site::LinearOutput), x)?;
    if part.has("rope") {
        let rotary_dim = (head_dim.size as f64 * part.number("rope.fraction")?) as usize;
        let rope = Rope { theta: part.number("rope.theta")?, rotary_dim };
        query = rotate(region, part, "q", rope, query)?;
        key = rotate(region, part, "k", rope, key)?;
    }
    let attention = Attention {
        scale: part.number("scale")?,
        window: part.count("window"),
        soft_cap: part.number("soft_cap"),
    };
    let name = format!("{}_context", part.name);
    let inputs = vec![query, key, value];
    let context = region.node(&name, Op::Attention(attention), inputs, q_dims, &part.name, part.span)?;
    let out = vec![region.width_dim()];
    let map = LinearMap { port: "o", out, has_bias: bias == "on", out_site: Site::LinearOutput };
    region.linear(part, &map, context)
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
