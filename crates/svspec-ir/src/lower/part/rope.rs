//! The `rope` part, rotary positions on a value with heads, and its settings, which are the block `rope` of `attention`.

mod rotation;

pub use rotation::{check, misfit, rope};

use super::{Own, PartKind, Ports, Preset, Range, Setting, Sibling, Takes, operands};
use crate::lower::region::{RegionBuilder, dims_text};
use crate::resolve::Part;
use crate::{Op, ValueId};

/// `rope turn { theta = 10_000, layout = interleaved }`
pub const ROPE: PartKind = PartKind {
    name: "rope",
    summary: "rotary positions on a value with heads",
    inputs: &["x"],
    settings: &[
        THETA,
        FRACTION,
        LAYOUT,
        LINEAR,
        LINEAR_FACTOR.within("linear.factor"),
        LLAMA3,
        FACTOR.within("llama3.factor"),
        LLAMA3_LOW_FREQ_FACTOR,
        LLAMA3_HIGH_FREQ_FACTOR,
        ORIGINAL_CONTEXT.within("llama3.original_context"),
        YARN,
        FACTOR.within("yarn.factor"),
        YARN_BETA_FAST,
        YARN_BETA_SLOW,
        ORIGINAL_CONTEXT.within("yarn.original_context"),
        attention_factor("yarn.attention_factor", |sibling| {
            sibling("yarn.factor").map(default_attention_factor)
        }),
        YARN_TRUNCATE,
        LONGROPE,
        LONGROPE_FACTORS,
        LONGROPE_ATTENTION_FACTOR,
    ],
    ports: Ports::None,
    own: Own::Nothing,
    check: |part, _, findings| check(part, "", findings),
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let [_, head_dim] = region.dims(x) else {
        let found = dims_text(region.dims(x));
        let message = format!("`{}` turns the channels of heads; `{found}` has none", part.name);
        region.report_given(
            part,
            message,
            "given a value without heads",
            "`split_heads(x, 1)` makes one head of it",
        );
        return None;
    };
    let head_dim = head_dim.size;
    if let Some(finding) = misfit(part, "", head_dim) {
        region.report(match region.application() {
            Some(span) => finding.because(span, format!("turns heads of {head_dim} channels")),
            None => finding,
        });
        return None;
    }
    let rope = rope(part, "", head_dim)?;
    region.same_dims(&part.name, Op::Rope(rope), x, &part.name, part.span)
}

/// `theta`
pub const THETA: Setting = Setting {
    name: "theta",
    takes: Takes::NumberPerLayer(Range::Positive),
    preset: Preset::Number(10_000.0),
    summary: "the base of the rotation's frequencies",
};

/// `fraction`
pub const FRACTION: Setting = Setting {
    name: "fraction",
    takes: Takes::Number(Range::Fraction),
    preset: Preset::Number(1.0),
    summary: "the part of `head_dim` that rotates",
};

/// `layout`
pub const LAYOUT: Setting = Setting {
    name: "layout",
    takes: Takes::Word(&["half", "interleaved"]),
    preset: Preset::Word("half"),
    summary: "which two of n rotating channels are a pair: i and i + n / 2, or 2i and 2i + 1",
};

/// The block `linear`.
pub const LINEAR: Setting = Setting {
    name: "linear",
    takes: Takes::Block,
    preset: Preset::Absent,
    summary: "every frequency divided by `factor`",
};

/// `linear.factor`
pub const LINEAR_FACTOR: Setting = Setting {
    name: "factor",
    takes: Takes::Number(Range::NotZero),
    preset: Preset::Required,
    summary: "divides frequencies; a negative one turns backwards",
};

/// The block `llama3`.
pub const LLAMA3: Setting = Setting {
    name: "llama3",
    takes: Takes::Block,
    preset: Preset::Absent,
    summary: "low frequencies divided by `factor`, as in Llama 3.1",
};

/// `llama3.low_freq_factor`
pub const LLAMA3_LOW_FREQ_FACTOR: Setting = Setting {
    name: "llama3.low_freq_factor",
    takes: Takes::Number(Range::Positive),
    preset: Preset::Number(1.0),
    summary: "turns in the original context below which a frequency is low",
};

/// `llama3.high_freq_factor`
pub const LLAMA3_HIGH_FREQ_FACTOR: Setting = Setting {
    name: "llama3.high_freq_factor",
    takes: Takes::Number(Range::Positive),
    preset: Preset::Number(4.0),
    summary: "turns in the original context above which a frequency is kept",
};

/// The block `yarn`.
pub const YARN: Setting = Setting {
    name: "yarn",
    takes: Takes::Block,
    preset: Preset::Absent,
    summary: "low frequencies divided by `factor`, with a ramp over pairs (YaRN)",
};

/// `yarn.beta_fast`
pub const YARN_BETA_FAST: Setting = Setting {
    name: "yarn.beta_fast",
    takes: Takes::Number(Range::Positive),
    preset: Preset::Number(32.0),
    summary: "turns in the original context from which on a pair is kept",
};

/// `yarn.beta_slow`
pub const YARN_BETA_SLOW: Setting = Setting {
    name: "yarn.beta_slow",
    takes: Takes::Number(Range::Positive),
    preset: Preset::Number(1.0),
    summary: "turns in the original context up to which a pair is divided",
};

/// `yarn.truncate`
pub const YARN_TRUNCATE: Setting = Setting {
    name: "yarn.truncate",
    takes: Takes::Word(&["on", "off"]),
    preset: Preset::Word("on"),
    summary: "`on`: the ramp begins and ends at whole pairs",
};

/// The block `longrope`.
pub const LONGROPE: Setting = Setting {
    name: "longrope",
    takes: Takes::Block,
    preset: Preset::Absent,
    summary: "each frequency divided by a number of its own (LongRoPE)",
};

/// `longrope.factors`
pub const LONGROPE_FACTORS: Setting = Setting {
    name: "longrope.factors",
    takes: Takes::Numbers(Range::Positive),
    preset: Preset::Required,
    summary: "the divisor of each pair's frequency, such as `(1, 1.5, 2)`",
};

/// `longrope.attention_factor`
pub const LONGROPE_ATTENTION_FACTOR: Setting = Setting {
    name: "longrope.attention_factor",
    takes: Takes::Number(Range::Positive),
    preset: Preset::Number(1.0),
    summary: "multiplies the rotated channels of q and of k",
};

/// `yarn.attention_factor`
pub const fn attention_factor(name: &'static str, compute: fn(Sibling<'_>) -> Option<f64>) -> Setting {
    Setting {
        name,
        takes: Takes::Number(Range::Positive),
        preset: Preset::Derived { formula: "0.1 * log(factor) + 1", compute },
        summary: "multiplies the rotated channels of q and of k",
    }
}

/// That of YaRN's authors.
pub fn default_attention_factor(factor: f64) -> f64 {
    0.1 * factor.max(1.0).ln() + 1.0
}

/// `factor` of a block that scales the frequencies.
pub const FACTOR: Setting = Setting {
    name: "factor",
    takes: Takes::Number(Range::Positive),
    preset: Preset::Required,
    summary: "divides frequencies: the context by the one before",
};

/// `original_context` of such a block.
pub const ORIGINAL_CONTEXT: Setting = Setting {
    name: "original_context",
    takes: Takes::Count,
    preset: Preset::Required,
    summary: "the context before it was extended",
};
