//! The `attend` part: softmax attention of given queries, keys and values.

use super::{Own, PartKind, Ports, Preset, Range, Setting, Takes, no_check, operands};
use crate::lower::parameters::NewParam;
use crate::lower::region::{RegionBuilder, dims_text};
use crate::op::Attention;
use crate::resolve::Part;
use crate::{DefaultInit, Dim, Op, ParamId, ParamKind, ValueId};

/// `attend look { window = 512 }`
pub const ATTEND: PartKind = PartKind {
    name: "attend",
    summary: "causal softmax attention of queries to keys, and the mean of values",
    inputs: &["q", "k", "v"],
    settings: &[
        Setting {
            name: "scale",
            takes: Takes::NumberPerLayer(Range::Positive),
            preset: Preset::Absent,
            summary: "multiplies the scores; `1 / sqrt(channels of a query head)` if not written",
        },
        WINDOW,
        CHUNK,
        SOFT_CAP,
        ALIBI,
        ALIBI_BOUND,
        SINKS,
    ],
    ports: Ports::None,
    own: Own::Nothing,
    check: no_check,
    expand,
};

/// `window`
pub const WINDOW: Setting = Setting {
    name: "window",
    takes: Takes::CountPerLayer,
    preset: Preset::Absent,
    summary: "each query sees this many positions up to its own; `none`: all",
};

/// `chunk`
pub const CHUNK: Setting = Setting {
    name: "chunk",
    takes: Takes::CountPerLayer,
    preset: Preset::Absent,
    summary: "positions in chunks of so many, of which none sees another; `none`: one chunk",
};

/// `soft_cap`
pub const SOFT_CAP: Setting = Setting {
    name: "soft_cap",
    takes: Takes::NumberPerLayer(Range::Positive),
    preset: Preset::Absent,
    summary: "bounds the scores: `cap · tanh(score / cap)`",
};

/// The block `alibi`.
pub const ALIBI: Setting = Setting {
    name: "alibi",
    takes: Takes::Block,
    preset: Preset::Absent,
    summary: "positions by what a score loses with distance, at a slope of each head's own",
};

/// `alibi.bound`
pub const ALIBI_BOUND: Setting = Setting {
    name: "alibi.bound",
    takes: Takes::NumberPerLayer(Range::Positive),
    preset: Preset::Number(8.0),
    summary: "of n heads the slopes are `2^(-bound * h / n)`, h from 1 to n",
};

/// `sinks`
pub const SINKS: Setting = Setting {
    name: "sinks",
    takes: Takes::Word(&["on", "off"]),
    preset: Preset::Word("off"),
    summary: "a learned logit per head beside the scores, without a value",
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    context(region, part, &part.name, operands(inputs))
}

/// The context of queries `[heads, k]`, keys `[kv_heads, k]` and values `[kv_heads, v]`: `[heads, v]`. The settings are
/// the part's.
pub fn context(
    region: &mut RegionBuilder<'_, '_>,
    part: &Part,
    name: &str,
    [q, k, v]: [ValueId; 3],
) -> Option<ValueId> {
    let [of_q, of_k, of_v] = [q, k, v].map(|value| region.dims(value).to_vec());
    let ([heads, head_dim], [kv_heads, k_dim], [v_heads, v_dim]) =
        (of_q.as_slice(), of_k.as_slice(), of_v.as_slice())
    else {
        return mismatch(
            region,
            part,
            [q, k, v],
            "each of them has heads; `split_heads(x, n)` makes n heads of channels",
        );
    };
    if head_dim.size != k_dim.size {
        return mismatch(
            region,
            part,
            [q, k, v],
            "a head of q and one of k have the same number of channels",
        );
    }
    if kv_heads.size != v_heads.size || !heads.size.is_multiple_of(kv_heads.size) {
        let cure = "k and v have the same number of heads, which divides that of q";
        return mismatch(region, part, [q, k, v], cure);
    }
    let sinks = match part.word("sinks")? {
        "on" => Some(sinks(region, part, heads)?),
        _ => None,
    };
    let attention = Attention {
        scale: part.per_layer("scale").unwrap_or_else(|| (head_dim.size as f64).sqrt().recip().into()),
        window: part.per_layer("window"),
        chunk: part.per_layer("chunk"),
        soft_cap: part.per_layer("soft_cap"),
        alibi: if part.has("alibi") { part.per_layer("alibi.bound") } else { None },
        sinks,
    };
    let dims = vec![heads.clone(), v_dim.clone()];
    region.node(name, Op::Attention(attention), vec![q, k, v], dims, &part.name, part.span)
}

fn mismatch(
    region: &mut RegionBuilder<'_, '_>,
    part: &Part,
    inputs: [ValueId; 3],
    cure: &str,
) -> Option<ValueId> {
    let [q, k, v] = inputs.map(|value| dims_text(region.dims(value)));
    let message = format!("`{}` cannot attend with q `{q}`, k `{k}` and v `{v}`", part.name);
    region.report_given(part, message, "given these", cure);
    None
}

/// A logit for each head that takes its share of the softmax, additive as a bias is.
fn sinks(region: &mut RegionBuilder<'_, '_>, part: &Part, heads: &Dim) -> Option<ParamId> {
    region.param(NewParam {
        path: format!("{}.sinks", part.name),
        kind: ParamKind::Bias,
        scale_part: None,
        dims: vec![heads.clone()],
        num_out_dims: 0,
        init: DefaultInit::constant(0.0),
        span: part.place("sinks"),
    })
}
