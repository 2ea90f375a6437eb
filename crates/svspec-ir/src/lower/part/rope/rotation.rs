//! The settings of a `rope` part, or of the block `rope`, in; the rotation out, or what is wrong with them. `prefix` is
//! what stands before each setting's name: nothing, or `rope.`.

use crate::op::Rope;
use crate::op::rope::{Angles, Layout, Llama3, LongRope, RampEnds, Scaling, Yarn};
use crate::resolve::Part;
use svspec_diagnostics::Diagnostic;

/// The blocks that scale the frequencies, of which there may be one.
const SCALINGS: [&str; 4] = ["linear", "llama3", "yarn", "longrope"];

/// The rotation of heads of `head_dim` channels; `None` where `check` found a fault.
pub fn rope(part: &Part, prefix: &str, head_dim: usize) -> Option<Rope> {
    let name = |setting: &str| format!("{prefix}{setting}");
    let rotary_dim = rotary_dim(head_dim, part.number(&name("fraction"))?)?;
    let layout = Layout::of_word(part.word(&name("layout"))?);
    let scaling = scaling(part, prefix)?;
    Some(Rope { angles: Angles { theta: part.per_layer(&name("theta"))?, rotary_dim, scaling }, layout })
}

/// The channels of a head that turn, in pairs; `None` where the fraction makes no whole number of pairs. A quotient such
/// as `30 / 44` is as near to its channels as a number can be, no nearer.
fn rotary_dim(head_dim: usize, fraction: f64) -> Option<usize> {
    let share = head_dim as f64 * fraction;
    let nearest = share.round();
    let is_whole = (share - nearest).abs() < 1e-9 * head_dim as f64;
    (is_whole && nearest >= 2.0 && nearest % 2.0 == 0.0).then_some(nearest as usize)
}

fn scaling(part: &Part, prefix: &str) -> Option<Scaling> {
    let has = |block: &str| part.has(&format!("{prefix}{block}"));
    let number = |setting: &str| part.number(&format!("{prefix}{setting}"));
    let count = |setting: &str| part.count(&format!("{prefix}{setting}"));
    if has("linear") {
        return Some(Scaling::Linear { factor: number("linear.factor")? });
    }
    if has("llama3") {
        return Some(Scaling::Llama3(Llama3 {
            factor: number("llama3.factor")?,
            low_freq_factor: number("llama3.low_freq_factor")?,
            high_freq_factor: number("llama3.high_freq_factor")?,
            original_context: count("llama3.original_context")?,
        }));
    }
    if has("yarn") {
        let truncate = part.word(&format!("{prefix}yarn.truncate"))?;
        return Some(Scaling::Yarn(Yarn {
            factor: number("yarn.factor")?,
            beta_fast: number("yarn.beta_fast")?,
            beta_slow: number("yarn.beta_slow")?,
            original_context: count("yarn.original_context")?,
            attention_factor: number("yarn.attention_factor")?,
            ends: if truncate == "on" { RampEnds::Whole } else { RampEnds::Exact },
        }));
    }
    if has("longrope") {
        return Some(Scaling::LongRope(LongRope {
            factors: part.numbers(&format!("{prefix}longrope.factors"))?.to_vec(),
            attention_factor: number("longrope.attention_factor")?,
        }));
    }
    Some(Scaling::Unscaled)
}

/// Finds what does not fit together.
pub fn check(part: &Part, prefix: &str, findings: &mut Vec<Diagnostic>) {
    let name = |setting: &str| format!("{prefix}{setting}");
    one_scaling(part, prefix, findings);
    if part.has(&name("llama3")) {
        in_order(part, ["llama3.low_freq_factor", "llama3.high_freq_factor"].map(name), findings);
    }
    if part.has(&name("yarn")) {
        in_order(part, ["yarn.beta_slow", "yarn.beta_fast"].map(name), findings);
        if let Some(theta) = part.number(&name("theta"))
            && theta <= 1.0
        {
            findings.push(
                Diagnostic::error(
                    "out-of-range",
                    format!("`{}.{prefix}theta` is {theta}; with `yarn` it is greater than 1", part.name),
                )
                .at(part.place(&name("theta")), "no frequency falls from pair to pair")
                .because(part.place(&name("yarn")), "the ramp goes from high frequencies to low ones")
                .help("write a base such as `theta = 10_000`"),
            );
        }
    }
}

fn one_scaling(part: &Part, prefix: &str, findings: &mut Vec<Diagnostic>) {
    let mut there = SCALINGS.map(|scaling| format!("{prefix}{scaling}")).into_iter();
    let mut next = || there.find(|scaling| part.has(scaling));
    if let (Some(first), Some(second)) = (next(), next()) {
        findings.push(
            Diagnostic::error(
                "conflicting-settings",
                format!("`{}` has both `{first}` and `{second}`: frequencies are scaled once", part.name),
            )
            .at(part.place(&second), "scales the frequencies")
            .because(part.place(&first), "so does this")
            .help(format!("take one away: `{}.{first} = none`", part.name)),
        );
    }
}

fn in_order(part: &Part, [lower, upper]: [String; 2], findings: &mut Vec<Diagnostic>) {
    let (Some(low), Some(high)) = (part.number(&lower), part.number(&upper)) else { return };
    if low < high {
        return;
    }
    let written = if part.is_written(&upper) { &upper } else { &lower };
    findings.push(
        Diagnostic::error(
            "out-of-range",
            format!("`{lower}` of `{}` is {low}; it is less than `{upper}`, {high}", part.name),
        )
        .at(part.place(written), "the range between them is empty")
        .help(format!("write a `{upper}` greater than {low}")),
    );
}

/// What does not go with heads of `head_dim` channels.
pub fn misfit(part: &Part, prefix: &str, head_dim: usize) -> Option<Diagnostic> {
    even_channels(part, prefix, head_dim).or_else(|| factor_for_each_pair(part, prefix, head_dim))
}

fn factor_for_each_pair(part: &Part, prefix: &str, head_dim: usize) -> Option<Diagnostic> {
    let name = format!("{prefix}longrope.factors");
    let num_factors = part.numbers(&name)?.len();
    let rotary_dim = rotary_dim(head_dim, part.number(&format!("{prefix}fraction"))?)?;
    let num_pairs = rotary_dim / 2;
    (num_factors != num_pairs).then(|| {
        Diagnostic::error(
            "wrong-arguments",
            format!("`{}.{name}` has {num_factors} numbers for {num_pairs} frequencies", part.name),
        )
        .at(part.place(&name), format!("{num_factors} numbers"))
        .help(format!(
            "{rotary_dim} channels of a head turn, in {num_pairs} pairs: write a number for each pair"
        ))
    })
}

/// What is wrong with the number of channels that would turn, of `head_dim`.
fn even_channels(part: &Part, prefix: &str, head_dim: usize) -> Option<Diagnostic> {
    let name = |setting: &str| format!("{prefix}{setting}");
    let fraction = part.number(&name("fraction"))?;
    if rotary_dim(head_dim, fraction).is_some() {
        return None;
    }
    let share = head_dim as f64 * fraction;
    let below = (share as usize / 2 * 2).max(2);
    let cure = if part.is_written(&name("fraction")) {
        format!("write `fraction = {below} / {head_dim}`, or ")
    } else {
        String::new()
    };
    let written = [name("fraction"), "head_dim".to_owned(), "heads".to_owned()]
        .into_iter()
        .find(|setting| part.is_written(setting));
    let asked_for = if prefix.is_empty() { part.span } else { part.place("rope") };
    Some(
        Diagnostic::error(
            "odd-rotary-dim",
            format!("rotary positions turn pairs of channels, but {share} of {head_dim} would turn"),
        )
        .at(
            written.map_or(asked_for, |setting| part.place(&setting)),
            format!("`head_dim` {head_dim}, `fraction` {fraction}"),
        )
        .because(asked_for, "rotary positions asked for here")
        .help(format!(
            "{cure}choose `heads` or `head_dim` so that `head_dim * fraction` is even, or leave `rope` out"
        )),
    )
}
