//! Random placements on a small model: whatever is written at its ports, rewrites and folds keep its function.

use crate::{agreement::distance, keeping::check_kept, keeping::validate, spec};
use proptest::prelude::*;
use proptest::sample::select;
use svspec_ir::eval::{forward, random_tokens, random_values};
use svspec_ir::fold::fold;
use svspec_ir::rewrite::{Rewrites, optimise};

const IN_HEADS: [&str; 4] = ["attn.q", "attn.k", "attn.v", "attn.o"];
const PLAIN: [&str; 4] = ["mlp.gate", "mlp.up", "mlp.down", "unembed"];

/// What stands at one side of a linear map; most often nothing.
fn placement(
    target: &'static str,
    side: &'static str,
    forms: &'static [&'static str],
) -> BoxedStrategy<String> {
    let placed = select(forms).prop_map(move |form| format!("{target} : {side} {form}"));
    prop_oneof![2 => Just(String::new()), 1 => placed].boxed()
}

pub fn placements() -> impl Strategy<Value = Vec<String>> {
    const ANY: &[&str] = &[
        "scale",
        "normalize",
        "normalize + scale",
        "scale(scalar)",
        "scale(one_plus)",
        "scale(magnitude_direction)",
        "scale(exp_magnitude_direction)",
        "scale(softplus)",
    ];
    const HEADS: &[&str] =
        &["scale", "scale(head)", "scale(per_head)", "normalize(head) + scale", "normalize(full) + scale"];
    let mut all = Vec::new();
    for target in IN_HEADS {
        let (inward, outward) = if target == "attn.o" { (HEADS, ANY) } else { (ANY, HEADS) };
        all.push(placement(target, "in", inward));
        all.push(placement(target, "out", outward));
    }
    for target in PLAIN {
        all.push(placement(target, "in", ANY));
        all.push(placement(target, "out", ANY));
    }
    all
}

/// What two models of one shape have in common.
#[derive(Clone, Debug)]
pub struct Shape {
    kv_heads: usize,
    rope: &'static str,
    bias: &'static str,
    tied: &'static str,
    norm: &'static str,
    documents: &'static str,
    batch: u64,
}

prop_compose! {
    pub fn shape()(
        kv_heads in select(vec![1, 2, 4]),
        rope in select(vec!["rope { theta = 100 }", "rope { theta = 100, fraction = 0.5 }", ""]),
        bias in select(vec!["on", "off"]),
        tied in select(vec!["on", "off"]),
        norm in select(vec!["rms_norm", "normalize", "layer_norm"]),
        documents in select(vec!["", "document_end = 2"]),
        batch in select(vec![1, 16, 4096]),
    ) -> Shape {
        Shape { kv_heads, rope, bias, tied, norm, documents, batch }
    }
}

impl Shape {
    /// The spec of a model with `placements`.
    pub fn text(&self, placements: &[String]) -> String {
        let Self { kv_heads, rope, bias, tied, norm, documents, batch } = self;
        let placements = placements.join("\n    ");
        format!(
            "svspec 1
model random {{
    vocab = 7
    context = 5
    width = 8
    tie_embeddings = {tied}
    {documents}
    attention attn {{ heads = 4, kv_heads = {kv_heads}, head_dim = 4, bias = {bias}, {rope} }}
    swiglu mlp {{ hidden = 6, bias = {bias} }}
    {norm} attn_norm, mlp_norm, final_norm
    layer {{
        x = x + attn(attn_norm(x))
        x = x + mlp(mlp_norm(x))
    }}
    stack = 2 * layer
    logits = unembed(final_norm(x))
    {placements}
}}
optimizer adamw {{ lr = 1e-3, decay 0.1 on all }}
train {{ steps = 10, batch = {batch} }}
"
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rewrites_and_folds_keep_the_function(
        shape in shape(),
        placements in placements(),
        seed in 0_u64..1000,
    ) {
        let text = shape.text(&placements);
        let checked = spec::of_text(&text, "random");
        let model = checked.model();
        check_kept(model);
        let (once, _) = optimise(model, &Rewrites::default());
        validate(&once);
        prop_assert_eq!(optimise(&once, &Rewrites::default()), (once, Vec::new()));

        let values = random_values(model, seed);
        let tokens = random_tokens(model, 2, 5, seed);
        let logits = |values| forward(model, values, &tokens, &tokens).logits;
        let folded = fold(model, &values, checked.facts());
        let distance = distance(&logits(&values), &logits(&folded));
        prop_assert!(distance < 1e-10, "{distance}\n{text}");
    }
}
