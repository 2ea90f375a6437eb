//! The settings of a mixture of experts, and their checks against each other.

use crate::Activation;
use crate::lower::part::{BIAS, Preset, Range, Setting, Takes, port_bias};
use crate::resolve::Part;
use svspec_diagnostics::Diagnostic;

/// Those of `moe`.
pub(super) const SETTINGS: &[Setting] = &[
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
        name: "expert",
        takes: Takes::Part,
        preset: Preset::Absent,
        summary: "the part that each expert is, with parameters of its own",
    },
    Setting {
        name: "hidden",
        takes: Takes::Count,
        preset: Preset::Absent,
        summary: "channels between the maps of one expert, if no part is named",
    },
    Setting {
        name: "activation",
        takes: Takes::Word(&Activation::NAMES),
        preset: Preset::Word("silu"),
        summary: "the non-linearity on the gate, if no part is named",
    },
    Setting {
        name: "router",
        takes: Takes::Word(&["softmax", "sigmoid"]),
        preset: Preset::Word("softmax"),
        summary: "what makes scores of the router's logits: the softmax over all experts, or the sigmoid of each",
    },
    Setting {
        name: "normalize",
        takes: Takes::Word(&["on", "off"]),
        preset: Preset::Word("on"),
        summary: "divides the weights of the chosen experts by their sum",
    },
    Setting {
        name: "eps",
        takes: Takes::Number(Range::NotNegative),
        preset: Preset::Number(0.0),
        summary: "added to that sum",
    },
    Setting {
        name: "scale",
        takes: Takes::NumberPerLayer(Range::Positive),
        preset: Preset::Number(1.0),
        summary: "multiplies the weights",
    },
    Setting {
        name: "weigh",
        takes: Takes::Word(&["output", "input"]),
        preset: Preset::Word("output"),
        summary: "whether the weights multiply what the experts make, or what they are given",
    },
    BIAS,
    port_bias("router.bias"),
    port_bias("gate.bias"),
    port_bias("up.bias"),
    port_bias("down.bias"),
    Setting {
        name: "groups",
        takes: Takes::Block,
        preset: Preset::Absent,
        summary: "experts in groups, of which a token may use some",
    },
    Setting {
        name: "groups.count",
        takes: Takes::Count,
        preset: Preset::Required,
        summary: "how many groups the experts form",
    },
    Setting {
        name: "groups.top_k",
        takes: Takes::Count,
        preset: Preset::Required,
        summary: "how many of them a token may choose from",
    },
    Setting {
        name: "groups.score",
        takes: Takes::Word(&["max", "top_2"]),
        preset: Preset::Word("max"),
        summary: "the score of a group: its largest, or the sum of its two largest",
    },
    Setting {
        name: "balance",
        takes: Takes::Block,
        preset: Preset::Absent,
        summary: "a loss that is smallest where all experts have the same load",
    },
    Setting {
        name: "balance.coefficient",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Required,
        summary: "what that loss counts beside the cross-entropy",
    },
    Setting {
        name: "balance.over",
        takes: Takes::Word(&["all", "layer", "sequence"]),
        preset: Preset::Word("all"),
        summary: "over which tokens loads are averaged: those of all layers together, of each layer, of each sequence in each layer",
    },
    Setting {
        name: "z_loss",
        takes: Takes::Number(Range::Positive),
        preset: Preset::Absent,
        summary: "what the squared log-sum-exp of the router's logits counts beside the cross-entropy",
    },
    Setting {
        name: "correction",
        takes: Takes::Block,
        preset: Preset::Absent,
        summary: "a vector on the scores, for the choice alone, that is moved by the load",
    },
    Setting {
        name: "correction.rate",
        takes: Takes::Number(Range::NotNegative),
        preset: Preset::Required,
        summary: "how far each step moves its entries",
    },
    Setting {
        name: "correction.on",
        takes: Takes::Word(&["scores", "logits"]),
        preset: Preset::Word("scores"),
        summary: "what it is added to",
    },
];

/// Counts that do not fit each other.
pub(super) fn check(part: &Part, _: usize, findings: &mut Vec<Diagnostic>) {
    expert(part, findings);
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
    let (Some(count), Some(open)) = (part.count("groups.count"), part.count("groups.top_k")) else { return };
    groups(part, [experts, top_k, count, open], findings);
}

/// Either a part, or the settings of a gated one.
fn expert(part: &Part, findings: &mut Vec<Diagnostic>) {
    let name = &part.name;
    if !part.has("expert") {
        if !part.has("hidden") {
            findings.push(
                Diagnostic::error("missing-setting", format!("`{name}` has no `hidden`"))
                    .at(part.span, "a part of kind `moe`")
                    .help("write `hidden = …` between its braces (channels between the maps of one expert)")
                    .help("or name the part that each expert is: `expert = ffn`"),
            );
        }
        return;
    }
    let of_gated = ["hidden", "activation", "gate.bias", "up.bias", "down.bias"];
    for setting in of_gated.into_iter().filter(|setting| part.is_written(setting)) {
        findings.push(
            Diagnostic::error(
                "unknown-setting",
                format!("`{name}.{setting}` says nothing: its experts are a part"),
            )
            .at(part.place(setting), "not a setting of the router")
            .because(part.place("expert"), "what each expert is")
            .help(format!("write it as a setting of that part, and take `{name}.{setting}` away")),
        );
    }
}

fn groups(part: &Part, [experts, top_k, count, open]: [usize; 4], findings: &mut Vec<Diagnostic>) {
    let name = &part.name;
    if !experts.is_multiple_of(count) {
        let message = format!("{experts} experts do not form {count} groups of equal size");
        let near = (1..=experts).filter(|near| experts.is_multiple_of(*near));
        let near = near.min_by_key(|near| near.abs_diff(count)).unwrap_or(1);
        findings.push(
            Diagnostic::error("experts-not-divisible", message)
                .at(
                    part.place("groups.count"),
                    format!("{experts} / {count} = {:.3}", experts as f64 / count as f64),
                )
                .because(part.place("experts"), format!("{experts} experts"))
                .help(format!("write `groups.count = {near}`, or another number of `experts`")),
        );
        return;
    }
    let size = experts / count;
    if open > count {
        let message = format!("`{name}.groups.top_k` is {open}; there are {count} groups to choose from");
        findings.push(
            Diagnostic::error("out-of-range", message)
                .at(part.place("groups.top_k"), "too large")
                .because(part.place("groups.count"), format!("{count} groups"))
                .help(format!("write `groups.top_k = {count}` or less")),
        );
    } else if top_k > open * size {
        let num_open = open * size;
        let message =
            format!("a token cannot be given to {top_k} experts where {num_open} of {experts} are open");
        findings.push(
            Diagnostic::error("out-of-range", message)
                .at(part.place("top_k"), "too large")
                .because(part.place("groups.top_k"), format!("groups of {size}, of which {open} are open"))
                .help(format!(
                    "write `top_k = {num_open}` or less, or `groups.top_k = {}`",
                    top_k.div_ceil(size)
                )),
        );
    }
    if part.word("groups.score") == Some("top_2") && size < 2 {
        findings.push(
            Diagnostic::error("out-of-range", format!("the groups of `{name}` have one expert each"))
                .at(part.place("groups.score"), "no two to add up")
                .because(part.place("groups.count"), format!("{experts} experts in {count} groups"))
                .help("write `groups.score = max`, or fewer groups"),
        );
    }
}
