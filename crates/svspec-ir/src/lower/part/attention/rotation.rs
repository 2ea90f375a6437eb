//! The settings of the block `rope` in; the rotation of q and k out, or what is wrong with them.

use crate::op::Rope;
use crate::op::rope::{Angles, Layout, Llama3, RampEnds, Scaling, Yarn};
use crate::resolve::Part;
use svspec_diagnostics::Diagnostic;

/// The blocks that scale the frequencies, of which there may be one.
const SCALINGS: [&str; 3] = ["rope.linear", "rope.llama3", "rope.yarn"];

/// The rotation; `None` without `rope`, or where `check` found a fault.
pub fn rope(part: &Part, head_dim: usize) -> Option<Rope> {
    if !part.has("rope") {
        return None;
    }
    let rotary_dim = (head_dim as f64 * part.number("rope.fraction")?) as usize;
    let layout = match part.word("rope.layout")? {
        "interleaved" => Layout::Interleaved,
        _ => Layout::Half,
    };
    let scaling = scaling(part)?;
    Some(Rope { angles: Angles { theta: part.number("rope.theta")?, rotary_dim, scaling }, layout })
}

fn scaling(part: &Part) -> Option<Scaling> {
    if part.has("rope.linear") {
        return Some(Scaling::Linear { factor: part.number("rope.linear.factor")? });
    }
    if part.has("rope.llama3") {
        return Some(Scaling::Llama3(Llama3 {
            factor: part.number("rope.llama3.factor")?,
            low_freq_factor: part.number("rope.llama3.low_freq_factor")?,
            high_freq_factor: part.number("rope.llama3.high_freq_factor")?,
            original_context: part.count("rope.llama3.original_context")?,
        }));
    }
    if part.has("rope.yarn") {
        return Some(Scaling::Yarn(Yarn {
            factor: part.number("rope.yarn.factor")?,
            beta_fast: part.number("rope.yarn.beta_fast")?,
            beta_slow: part.number("rope.yarn.beta_slow")?,
            original_context: part.count("rope.yarn.original_context")?,
            attention_factor: part.number("rope.yarn.attention_factor")?,
            ends: if part.word("rope.yarn.truncate")? == "on" { RampEnds::Whole } else { RampEnds::Exact },
        }));
    }
    Some(Scaling::Unscaled)
}

/// Finds what does not fit together.
pub fn check(part: &Part, findings: &mut Vec<Diagnostic>) {
    if !part.has("rope") {
        return;
    }
    even_channels(part, findings);
    one_scaling(part, findings);
    if part.has("rope.llama3") {
        in_order(part, ["rope.llama3.low_freq_factor", "rope.llama3.high_freq_factor"], findings);
    }
    if part.has("rope.yarn") {
        in_order(part, ["rope.yarn.beta_slow", "rope.yarn.beta_fast"], findings);
        if let Some(theta) = part.number("rope.theta")
            && theta <= 1.0
        {
            findings.push(
                Diagnostic::error(
                    "out-of-range",
                    format!("`{}.rope.theta` is {theta}; with `yarn` it is greater than 1", part.name),
                )
                .at(part.place("rope.theta"), "no frequency falls from pair to pair")
                .because(part.place("rope.yarn"), "the ramp goes from high frequencies to low ones")
                .help("write a base such as `theta = 10_000`"),
            );
        }
    }
}

fn one_scaling(part: &Part, findings: &mut Vec<Diagnostic>) {
    let mut there = SCALINGS.into_iter().filter(|scaling| part.has(scaling));
    if let (Some(first), Some(second)) = (there.next(), there.next()) {
        findings.push(
            Diagnostic::error(
                "conflicting-settings",
                format!("`{}` has both `{first}` and `{second}`: frequencies are scaled once", part.name),
            )
            .at(part.place(second), "scales the frequencies")
            .because(part.place(first), "so does this")
            .help(format!("take one away: `{}.{first} = none`", part.name)),
        );
    }
}

fn in_order(part: &Part, [lower, upper]: [&str; 2], findings: &mut Vec<Diagnostic>) {
    let (Some(low), Some(high)) = (part.number(lower), part.number(upper)) else { return };
    if low < high {
        return;
    }
    let written = if part.is_written(upper) { upper } else { lower };
    findings.push(
        Diagnostic::error(
            "out-of-range",
            format!("`{lower}` of `{}` is {low}; it is less than `{upper}`, {high}", part.name),
        )
        .at(part.place(written), "the range between them is empty")
        .help(format!("write a `{upper}` greater than {low}")),
    );
}

fn even_channels(part: &Part, findings: &mut Vec<Diagnostic>) {
    if let Some(head_dim) = part.count("head_dim")
        && let Some(fraction) = part.number("rope.fraction")
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
