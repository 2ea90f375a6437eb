//! What may be set of an attention part.

use crate::lower::part::{Preset, Range, Setting, Takes, attend, port_bias, rope};

/// In the order of the reference.
pub const SETTINGS: &[Setting] = &[
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
        summary: "rotary positions on q and k",
    },
    rope::THETA.within("rope.theta"),
    rope::FRACTION.within("rope.fraction"),
    rope::LAYOUT.within("rope.layout"),
    rope::LINEAR.within("rope.linear"),
    rope::LINEAR_FACTOR.within("rope.linear.factor"),
    rope::LLAMA3.within("rope.llama3"),
    rope::FACTOR.within("rope.llama3.factor"),
    rope::LLAMA3_LOW_FREQ_FACTOR.within("rope.llama3.low_freq_factor"),
    rope::LLAMA3_HIGH_FREQ_FACTOR.within("rope.llama3.high_freq_factor"),
    rope::ORIGINAL_CONTEXT.within("rope.llama3.original_context"),
    rope::YARN.within("rope.yarn"),
    rope::FACTOR.within("rope.yarn.factor"),
    rope::YARN_BETA_FAST.within("rope.yarn.beta_fast"),
    rope::YARN_BETA_SLOW.within("rope.yarn.beta_slow"),
    rope::ORIGINAL_CONTEXT.within("rope.yarn.original_context"),
    rope::attention_factor("rope.yarn.attention_factor", |sibling| {
        sibling("rope.yarn.factor").map(rope::default_attention_factor)
    }),
    rope::YARN_TRUNCATE.within("rope.yarn.truncate"),
    rope::LONGROPE.within("rope.longrope"),
    rope::LONGROPE_FACTORS.within("rope.longrope.factors"),
    rope::LONGROPE_ATTENTION_FACTOR.within("rope.longrope.attention_factor"),
    Setting {
        name: "bias",
        takes: Takes::Word(&["on", "off", "qkv"]),
        preset: Preset::Word("off"),
        summary: "additive vectors: on q, k, v and o, on none, or on q, k and v",
    },
    port_bias("q.bias"),
    port_bias("k.bias"),
    port_bias("v.bias"),
    port_bias("o.bias"),
    Setting {
        name: "scale",
        takes: Takes::NumberPerLayer(Range::Positive),
        preset: Preset::Derived {
            formula: "1 / sqrt(head_dim)",
            compute: |sibling| sibling("head_dim").map(|head_dim| 1.0 / head_dim.sqrt()),
        },
        summary: "multiplies the scores",
    },
    attend::WINDOW,
    attend::CHUNK,
    attend::SOFT_CAP,
    attend::ALIBI,
    attend::ALIBI_BOUND,
    Setting {
        name: "clip",
        takes: Takes::NumberPerLayer(Range::Positive),
        preset: Preset::Absent,
        summary: "bounds q, k and v: `min(max(x, -clip), clip)`",
    },
    attend::SINKS,
];
