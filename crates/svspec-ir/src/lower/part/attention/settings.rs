//! What may be set of an attention part.

use crate::lower::part::{Preset, Range, Setting, Takes, port_bias};

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
        name: "rope.layout",
        takes: Takes::Word(&["half", "interleaved"]),
        preset: Preset::Word("half"),
        summary: "which two of n rotating channels are a pair: i and i + n / 2, or 2i and 2i + 1",
    },
    Setting {
        name: "rope.linear",
        takes: Takes::Block,
        preset: Preset::Absent,
        summary: "every frequency divided by `factor`",
    },
    FACTOR.within("rope.linear.factor"),
    Setting {
        name: "rope.llama3",
        takes: Takes::Block,
        preset: Preset::Absent,
        summary: "low frequencies divided by `factor`, as in Llama 3.1",
    },
    FACTOR.within("rope.llama3.factor"),
    Setting {
        name: "rope.llama3.low_freq_factor",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Number(1.0),
        summary: "turns in the original context below which a frequency is low",
    },
    Setting {
        name: "rope.llama3.high_freq_factor",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Number(4.0),
        summary: "turns in the original context above which a frequency is kept",
    },
    ORIGINAL_CONTEXT.within("rope.llama3.original_context"),
    Setting {
        name: "rope.yarn",
        takes: Takes::Block,
        preset: Preset::Absent,
        summary: "low frequencies divided by `factor`, with a ramp over pairs (YaRN)",
    },
    FACTOR.within("rope.yarn.factor"),
    Setting {
        name: "rope.yarn.beta_fast",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Number(32.0),
        summary: "turns in the original context from which on a pair is kept",
    },
    Setting {
        name: "rope.yarn.beta_slow",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Number(1.0),
        summary: "turns in the original context up to which a pair is divided",
    },
    ORIGINAL_CONTEXT.within("rope.yarn.original_context"),
    Setting {
        name: "rope.yarn.attention_factor",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Derived {
            formula: "0.1 * log(factor) + 1",
            compute: |sibling| sibling("rope.yarn.factor").map(|factor| 0.1 * factor.max(1.0).ln() + 1.0),
        },
        summary: "multiplies the rotated channels of q and of k",
    },
    Setting {
        name: "rope.yarn.truncate",
        takes: Takes::Word(&["on", "off"]),
        preset: Preset::Word("on"),
        summary: "`on`: the ramp begins and ends at whole pairs",
    },
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
    Setting {
        name: "clip",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Absent,
        summary: "bounds q, k and v: `min(max(x, -clip), clip)`",
    },
    Setting {
        name: "sinks",
        takes: Takes::Word(&["on", "off"]),
        preset: Preset::Word("off"),
        summary: "a learned logit per head beside the scores, without a value",
    },
];

const FACTOR: Setting = Setting {
    name: "factor",
    takes: Takes::Number(Range::Positive),
    preset: Preset::Required,
    summary: "divides frequencies: the context by the one before",
};

const ORIGINAL_CONTEXT: Setting = Setting {
    name: "original_context",
    takes: Takes::Count,
    preset: Preset::Required,
    summary: "the context before it was extended",
};
