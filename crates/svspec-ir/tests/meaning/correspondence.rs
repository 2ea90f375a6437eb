//! A model carried over to another that it corresponds to, in the evaluator: the logits stay.

use crate::{agreement::distance, spec};
use svspec_ir::correspondence::{self, Correspondence, Difference, correspondence};
use svspec_ir::eval::{Values, forward, random_tokens, random_values};
use svspec_ir::{CheckedModel, Model, dim};

/// The other model's values.
fn carried(ours: &CheckedModel, values: &Values, theirs: &Model, found: &Correspondence) -> Values {
    let folded = correspondence::folded(ours, values, found);
    let mut carried = Values::new();
    for instance in theirs.instances() {
        let source = found.tensors[&instance];
        let value = correspondence::value(ours.model(), theirs, &folded, instance, source).unwrap();
        assert_eq!(value.shape, dim::sizes(&theirs.params[instance.param.0].dims));
        carried.insert(instance, value);
    }
    carried
}

/// Carries `from` over to `to`, whose function stays; the number of vectors that had to fold.
fn carry(from: &CheckedModel, to: &CheckedModel) -> usize {
    let (ours, theirs) = (from.model(), to.model());
    let found =
        correspondence(from, theirs).unwrap_or_else(|why| panic!("{} {}: {why}", ours.name, theirs.name));
    let tokens = random_tokens(ours, 3, 5, 1);
    for seed in 0..3 {
        let values = random_values(ours, seed);
        let expected = forward(ours, &values, &tokens, &tokens).logits;
        let carried = carried(from, &values, theirs, &found);
        let distance = distance(&expected, &forward(theirs, &carried, &tokens, &tokens).logits);
        assert!(distance < 1e-11, "{} as {}: {distance}", ours.name, theirs.name);
    }
    found.folded.len()
}

#[test]
fn what_folds_corresponds_to_the_baseline() {
    let base = spec::tiny_target("base");
    for (target, num_folded) in [
        ("base", 0),
        ("no_scales", 0),
        ("or", 0),
        ("er", 0),
        ("gains_one_plus", 0),
        ("hg", 5),
        ("port_norms", 5),
        ("dp", 10),
    ] {
        assert_eq!(carry(&spec::tiny_target(target), &base), num_folded, "{target}");
    }
    // Vectors also go into a form that keeps γ otherwise, and models without any.
    assert_eq!(carry(&base, &spec::tiny_target("gains_one_plus")), 0);
    assert_eq!(carry(&base, &spec::tiny_target("or")), 0);
    assert_eq!(carry(&base, &spec::tiny_target("no_scales")), 3);
    assert_eq!(carry(&spec::tiny_target("dnp"), &spec::tiny_target("unified")), 0);
    // The head gets a copy of the table.
    assert_eq!(carry(&spec::tiny_target("tied"), &base), 0);
}

#[test]
fn names_and_the_order_of_sums_are_free() {
    let renamed = include_str!("tiny.svspec")
        .replace("attn(attn_norm(x))", "attention(first(x))")
        .replace("x = x + mlp(mlp_norm(x))", "x = ffn(second(x)) + x")
        .replace("swiglu    mlp ", "swiglu    ffn ")
        .replace("attention attn ", "attention attention ")
        .replace("rms_norm  attn_norm, mlp_norm", "rms_norm  first, second");
    let (model, _) = renamed.split_once("variant no_scales").unwrap();
    let rest = "optimizer adamw { decay 0.1 on all }\n";
    carry(&spec::of_text(&format!("{model}{rest}"), "base"), &spec::tiny_target("base"));
}

#[test]
fn what_differs_is_named() {
    let base = spec::tiny_target("base");
    let why = |target: &str| correspondence(&spec::tiny_target(target), base.model()).unwrap_err().difference;
    assert!(matches!(why("dnp"), Difference::Op { .. } | Difference::Unfoldable { .. }));
    let tied = spec::tiny_target("tied");
    let why_tied = correspondence(&base, tied.model()).unwrap_err().difference;
    assert!(matches!(why_tied, Difference::Sharing { .. }), "{why_tied}");
    assert!(matches!(why("windowed"), Difference::Op { .. }), "{}", why("windowed"));
    assert!(matches!(why("parallel"), Difference::Op { .. }), "{}", why("parallel"));
    assert!(matches!(why("outputs"), Difference::Op { .. } | Difference::Unfoldable { .. }));
}
