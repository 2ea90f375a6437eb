//! Mixtures of experts that cannot be.

use super::{report, small};

#[test]
fn settings_that_no_mixture_can_have() {
    let mixture = |settings: &str, extra: &str| {
        small(&format!("    moe experts {{ {settings} }}\n{extra}"))
            .replace("attn(norm(x))", "attn(norm(x)) + experts(norm(x))")
            .replace("decay 0.1 on weight", "decay 0.1 on weight, router")
    };
    let sized = |settings: &str| mixture(&format!("experts = 8, hidden = 16, {settings}"), "");
    let grouped = |groups: &str| sized(&format!("top_k = 2, groups {{ {groups} }}"));
    let of = |expert: &str, extra: &str| {
        mixture(&format!("experts = 8, top_k = 2, expert = {expert}"), &format!("    {extra}\n"))
    };
    let placed = |placement: &str| {
        let settings = "experts = 8, top_k = 2, hidden = 16";
        mixture(settings, &format!("    swiglu mlp {{ hidden = 16 }}\n    {placement}\n"))
            .replace("experts(norm(x))", "experts(norm(x)) + mlp(norm(x))")
    };
    let cases = [
        ("more chosen than there are", sized("top_k = 9")),
        ("groups of unequal size", grouped("count = 3, top_k = 1")),
        ("more groups chosen than there are", grouped("count = 4, top_k = 5")),
        ("open groups with too few experts", grouped("count = 8, top_k = 1")),
        ("two of one", grouped("count = 8, top_k = 4, score = top_2")),
        ("a loss that counts nothing", sized("top_k = 2, balance { coefficient = 0 }")),
        ("a loss without its coefficient", sized("top_k = 2, balance { over = layer }")),
        ("balance without a router", placed("mlp.balance.coefficient = 0.01")),
        ("a loss outside the layers", {
            small("    moe experts { experts = 8, top_k = 2, hidden = 16, z_loss = 0.1 }\n")
                .replace("final_norm(x)", "experts(final_norm(x))")
                .replace("decay 0.1 on weight", "decay 0.1 on weight, router")
        }),
        ("an expert that is no name", of("3", "")),
        ("an expert in quotes", of("\"ffn\"", "swiglu ffn { hidden = 16 }")),
        ("an expert that is no part", of("ffn", "")),
        ("an expert of itself", of("experts", "")),
        ("a mixture as an expert", of("inner", "moe inner { experts = 2, top_k = 1, hidden = 8 }")),
        ("an expert of another width", of("ffn", "linear ffn { out = 48 }")),
        ("settings of a gated expert beside a part", of("ffn, hidden = 8", "swiglu ffn { hidden = 16 }")),
        ("neither an expert nor its size", mixture("experts = 8, top_k = 2", "")),
        ("a vector of each expert's where there are none", placed("mlp.gate : in scale(per_expert)")),
        ("a vector of each expert's at the router", placed("experts.router : out scale(per_expert)")),
    ];
    let reports: Vec<String> =
        cases.iter().map(|(name, text)| format!("### {name}\n{}", report(text))).collect();
    insta::assert_snapshot!(reports.join("\n"));
}
