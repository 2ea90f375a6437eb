//! What folding proposes for a vector that stays, against the same change written in a spec.

use crate::spec;
use svspec_ir::CheckedModel;
use svspec_ir::print::fold::{FoldedView, view};

fn of(checked: &CheckedModel, path: &str) -> FoldedView {
    view(checked).scales.into_iter().find(|scale| scale.path == path).unwrap()
}

/// The vector stays in one target, and folds in the other where its cure says.
fn check(path: &str, (stays, folds): (&str, &str), change: &str) {
    let staying = of(&spec::tiny_target(stays), path);
    assert_eq!(staying.folds, None, "{stays} {path}");
    let cure = staying.cures.iter().find(|cure| cure.change == change);
    let cure = cure.unwrap_or_else(|| panic!("{stays} {path} has the cures {:?}", staying.cures));
    assert_eq!(Some(&cure.folds), of(&spec::tiny_target(folds), path).folds.as_ref(), "{stays} {path}");
}

#[test]
fn without_its_normalisation_a_vector_after_a_map_goes_to_the_rows() {
    for path in ["attn.q.out_scale", "attn.k.out_scale", "mlp.gate.out_scale"] {
        check(path, ("dnp", "dp"), "without the normalisation before it");
    }
}

#[test]
fn without_a_tie_the_last_vector_goes_to_the_head() {
    check("final_norm.scale", ("tied", "base"), "with a head of its own, `tie_embeddings = off`");
}

#[test]
fn a_vector_on_the_residual_stream_has_no_cure() {
    let staying = of(&spec::tiny_target("deep"), "in_norm.scale");
    assert_eq!((staying.folds, staying.cures), (None, Vec::new()));
}

#[test]
fn without_its_bias_a_layer_norm_folds() {
    let text = |bias: &str| {
        include_str!("tiny.svspec").replace(
            "rms_norm  attn_norm, mlp_norm, final_norm { eps = 1e-5 }",
            &format!("layer_norm attn_norm, mlp_norm, final_norm {{ bias = {bias} }}"),
        )
    };
    let staying = of(&spec::of_text(&text("on"), "base"), "attn_norm.scale");
    let folding = of(&spec::of_text(&text("off"), "base"), "attn_norm.scale");
    assert_eq!(staying.folds, None);
    assert_eq!(staying.cures[0].change, "without `attn_norm.bias`");
    assert_eq!(Some(&staying.cures[0].folds), folding.folds.as_ref());
}
