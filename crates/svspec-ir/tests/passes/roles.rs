//! Roles and absorption of constructed cases: for each placement of the paper and its neighbours, the role that the
//! paper's definition gives, and the weights into which the algebra folds γ.

use crate::spec::Sketch;
use svspec_ir::{Absorption, CheckedModel, Role, ScaleFacts, print};

const INPUT: Role = Role::Input;
const OUTPUT: Role = Role::Output;

/// Checks role and absorption of each scale vector of the sketch, which are all those listed.
#[track_caller]
fn proves(sketch: &Sketch<'_>, expected: &[(&str, Role, &str)]) {
    let checked = sketch.compile();
    let found: Vec<(&str, Role, String)> = checked
        .facts()
        .iter()
        .map(|facts| (path(&checked, facts), facts.role, absorption(&checked, facts)))
        .collect();
    let found: Vec<(&str, Role, &str)> =
        found.iter().map(|(path, role, absorption)| (*path, *role, absorption.as_str())).collect();
    assert_eq!(found, expected);
}

fn path<'a>(checked: &'a CheckedModel, facts: &ScaleFacts) -> &'a str {
    checked.model().scales.get(facts.scale.0).map_or("", |scale| scale.path.as_str())
}

fn absorption(checked: &CheckedModel, facts: &ScaleFacts) -> String {
    print::roles::absorption(checked.model(), &facts.absorption)
}

/// The sketch without vectors on its norms, so that a case lists its own only.
fn bare() -> Sketch<'static> {
    Sketch { parts: "normalize attn_norm, mlp_norm, final_norm", ..Sketch::default() }
}

#[test]
fn pre_norm_is_input_and_folds_into_every_reader() {
    proves(
        &Sketch::default(),
        &[
            ("attn_norm.scale", INPUT, "into the columns of attn.{q, k, v}.weight"),
            ("mlp_norm.scale", INPUT, "into the columns of mlp.{gate, up}.weight"),
            ("final_norm.scale", INPUT, "into the columns of unembed.weight"),
        ],
    );
}

#[test]
fn final_norm_before_a_tied_head_is_input_but_does_not_fold() {
    proves(
        &Sketch {
            settings: "tie_embeddings = on",
            parts: "normalize attn_norm, mlp_norm\n rms_norm final_norm",
            ..Sketch::default()
        },
        &[(
            "final_norm.scale",
            INPUT,
            "no: `embed.weight` cannot take γ: it is tied to the embedding table, so the embedding would change too; \
             `final_norm_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn branch_vectors_are_input_and_fold_into_their_own_map() {
    proves(
        &Sketch { placements: "attn.{q, k, v}, mlp.{gate, up} : in scale", ..bare() },
        &[
            ("attn.q.in_scale", INPUT, "into the columns of attn.q.weight"),
            ("attn.k.in_scale", INPUT, "into the columns of attn.k.weight"),
            ("attn.v.in_scale", INPUT, "into the columns of attn.v.weight"),
            ("mlp.gate.in_scale", INPUT, "into the columns of mlp.gate.weight"),
            ("mlp.up.in_scale", INPUT, "into the columns of mlp.up.weight"),
        ],
    );
}

#[test]
fn dual_placement_is_output_and_folds_forward_where_it_can_else_into_rows() {
    proves(
        &Sketch { placements: "attn.{q, k, v}, mlp.{gate, up} : out scale", ..bare() },
        &[
            ("attn.q.out_scale", OUTPUT, "into the rows of attn.q.weight"),
            ("attn.k.out_scale", OUTPUT, "into the rows of attn.k.weight"),
            ("attn.v.out_scale", OUTPUT, "into the columns of attn.o.weight"),
            ("mlp.gate.out_scale", OUTPUT, "into the rows of mlp.gate.weight"),
            ("mlp.up.out_scale", OUTPUT, "into the columns of mlp.down.weight"),
        ],
    );
}

#[test]
fn dual_normalised_placement_folds_on_v_and_up_only() {
    let rope = "γ on `attn_q_scaled` does not pass through `rope`, which mixes channels 0 and 2 of a head: only a γ that is equal within each of its 2 pairs does";
    proves(
        &Sketch {
            placements: "attn.{q, v} : out normalize(head) + scale\n mlp.{gate, up} : out normalize + scale",
            ..bare()
        },
        &[
            (
                "attn.q.out_scale",
                OUTPUT,
                &format!(
                    "no: {rope}; `attn_q_normalized` is a normalisation, which undoes a scale before it"
                ),
            ),
            ("attn.v.out_scale", OUTPUT, "into the columns of attn.o.weight"),
            (
                "mlp.gate.out_scale",
                OUTPUT,
                "no: γ on `mlp_gate_scaled` does not pass through `silu`, which is not linear; \
                 `mlp_gate_normalized` is a normalisation, which undoes a scale before it",
            ),
            ("mlp.up.out_scale", OUTPUT, "into the columns of mlp.down.weight"),
        ],
    );
}

#[test]
fn a_number_per_head_passes_rope_but_not_the_softmax() {
    proves(
        &Sketch { placements: "attn.q : out normalize(head) + scale(per_head)", ..bare() },
        &[(
            "attn.q.out_scale",
            OUTPUT,
            "no: γ on `attn_q_rotated` does not pass through `attention`'s softmax of q and k; \
             `attn_q_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn without_rope_a_qk_norm_still_does_not_fold() {
    proves(
        &Sketch { attn: "", placements: "attn.k : out normalize(head) + scale", ..bare() },
        &[(
            "attn.k.out_scale",
            OUTPUT,
            "no: γ on `attn_k_scaled` does not pass through `attention`'s softmax of q and k; \
             `attn_k_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn without_rope_a_plain_q_vector_folds_into_rows() {
    proves(
        &Sketch { attn: "", placements: "attn.q : out scale", ..bare() },
        &[("attn.q.out_scale", OUTPUT, "into the rows of attn.q.weight")],
    );
}

#[test]
fn a_vector_after_a_bias_folds_into_rows_and_bias() {
    proves(
        &Sketch { attn: "rope, bias = on", placements: "attn.q : out scale", ..bare() },
        &[("attn.q.out_scale", OUTPUT, "into the rows of attn.q.{weight, bias}")],
    );
}

#[test]
fn the_head_shared_vector_of_v_repeats_over_the_columns_of_o() {
    let checked = Sketch { placements: "attn.v : out normalize(head) + scale", ..bare() }.compile();
    let Absorption::IntoColumns(folds) = &checked.facts()[0].absorption else { panic!("it folds forward") };
    assert_eq!(folds[0].channels, [0, 1, 2, 3, 0, 1, 2, 3].map(Some));
}

#[test]
fn a_sink_in_the_softmax_does_not_stop_the_vector_of_v() {
    let attn = "rope { layout = interleaved }, sinks = on";
    let sketch = Sketch { attn, placements: "attn.v : out scale(head)", ..bare() };
    proves(&sketch, &[("attn.v.out_scale", OUTPUT, "into the columns of attn.o.weight")]);
}

#[test]
fn a_clip_after_the_vector_of_v_stops_it_and_leaves_the_rows() {
    let sketch = Sketch { attn: "rope, clip = 8", placements: "attn.v : out scale", ..bare() };
    proves(&sketch, &[("attn.v.out_scale", OUTPUT, "into the rows of attn.v.weight")]);
}

#[test]
fn query_heads_that_share_a_value_head_share_its_entries() {
    let checked = Sketch { attn: "kv_heads = 1, rope", placements: "attn.v : out scale", ..bare() }.compile();
    let Absorption::IntoColumns(folds) = &checked.facts()[0].absorption else { panic!("it folds forward") };
    assert_eq!(folds[0].channels, [0, 1, 2, 3, 0, 1, 2, 3].map(Some));
}

#[test]
fn post_norm_is_output_because_the_residual_reads_it() {
    proves(
        &Sketch {
            parts: "rms_norm attn_norm\n normalize mlp_norm, final_norm",
            layer: "x = attn_norm(x + attn(x))\n x = x + mlp(mlp_norm(x))",
            ..Sketch::default()
        },
        &[(
            "attn_norm.scale",
            OUTPUT,
            "no: γ on `attn_norm` does not pass through `normalize`, whose statistic depends on γ; \
             `attn_norm_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn a_norm_at_the_end_of_the_layer_is_read_by_the_next_one() {
    let checked = Sketch {
        parts: "rms_norm mlp_norm\n normalize attn_norm, final_norm",
        layer: "x = x + attn(attn_norm(x))\n x = mlp_norm(x + mlp(x))",
        ..Sketch::default()
    }
    .compile();
    let facts = &checked.facts()[0];
    assert_eq!(facts.role, OUTPUT);
    assert!(
        facts.role_proof.steps.iter().any(|step| step.contains("leaves `layer`")),
        "{:#?}",
        facts.role_proof
    );
}

#[test]
fn a_norm_that_only_linear_maps_of_the_next_layer_read_is_input() {
    let checked = Sketch {
        parts: "rms_norm mlp_norm\n normalize attn_norm, final_norm",
        layer: "y = attn(x)\n x = mlp_norm(mlp(attn_norm(y)))",
        ..Sketch::default()
    }
    .compile();
    let facts = &checked.facts()[0];
    // The head normalises it, which is no linear map.
    assert_eq!(facts.role, OUTPUT);
}

#[test]
fn a_parallel_block_folds_into_both_branches() {
    proves(
        &Sketch {
            parts: "rms_norm attn_norm\n normalize final_norm",
            layer: "n = attn_norm(x)\n x = x + attn(n) + mlp(n)",
            ..Sketch::default()
        },
        &[("attn_norm.scale", INPUT, "into the columns of attn.{q, k, v}.weight, mlp.{gate, up}.weight")],
    );
}

#[test]
fn a_norm_shared_by_two_blocks_folds_into_both() {
    proves(
        &Sketch {
            parts: "rms_norm attn_norm\n normalize final_norm",
            layer: "x = x + attn(attn_norm(x))\n x = x + mlp(attn_norm(x))",
            ..Sketch::default()
        },
        &[("attn_norm.scale", INPUT, "into the columns of attn.{q, k, v}.weight, mlp.{gate, up}.weight")],
    );
}

#[test]
fn attention_shared_with_and_without_the_vector_cannot_take_it() {
    proves(
        &Sketch {
            parts: "rms_norm attn_norm\n normalize mlp_norm, final_norm",
            layer: "x = x + attn(attn_norm(x))\n x = x + mlp(mlp_norm(x))\n x = x + attn(x)",
            ..Sketch::default()
        },
        &[(
            "attn_norm.scale",
            INPUT,
            "no: `attn.q.weight` cannot take γ: `attn_q_1` uses the same weight without γ; \
             `attn_norm_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn a_norm_read_by_a_linear_map_and_the_residual_is_output() {
    proves(
        &Sketch {
            parts: "rms_norm attn_norm\n normalize mlp_norm, final_norm",
            layer: "n = attn_norm(x)\n x = n + attn(n)\n x = x + mlp(mlp_norm(x))",
            ..Sketch::default()
        },
        &[(
            "attn_norm.scale",
            OUTPUT,
            "no: γ on `attn_norm` does not pass through `add`, whose other side it would not multiply; \
             `attn_norm_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn layer_scale_is_output_and_folds_into_rows() {
    proves(
        &Sketch {
            parts: "normalize attn_norm, mlp_norm, final_norm\n scale attn_scale { init = 0.1 }",
            layer: "x = x + attn_scale(attn(attn_norm(x)))\n x = x + mlp(mlp_norm(x))",
            ..Sketch::default()
        },
        &[("attn_scale.scale", OUTPUT, "into the rows of attn.o.weight")],
    );
}

#[test]
fn layer_scale_shared_by_two_branches_folds_into_both() {
    proves(
        &Sketch {
            parts: "normalize attn_norm, mlp_norm, final_norm\n scale branch_scale { size = scalar }",
            layer: "x = x + branch_scale(attn(attn_norm(x)))\n x = x + branch_scale(mlp(mlp_norm(x)))",
            ..Sketch::default()
        },
        &[("branch_scale.scale", OUTPUT, "into the rows of attn.o.weight, mlp.down.weight")],
    );
}

#[test]
fn a_norm_on_a_branch_output_does_not_fold() {
    proves(
        &Sketch { placements: "attn.o : out normalize + scale", ..bare() },
        &[(
            "attn.o.out_scale",
            OUTPUT,
            "no: γ on `attn_o_scaled` does not pass through `add`, whose other side it would not multiply; \
             `attn_o_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn a_norm_before_o_or_down_is_input() {
    proves(
        &Sketch { placements: "attn.o, mlp.down : in normalize + scale", ..bare() },
        &[
            ("attn.o.in_scale", INPUT, "into the columns of attn.o.weight"),
            ("mlp.down.in_scale", INPUT, "into the columns of mlp.down.weight"),
        ],
    );
}

#[test]
fn stacked_vectors_are_looked_through() {
    proves(
        &Sketch {
            parts: "rms_norm attn_norm\n normalize mlp_norm, final_norm",
            placements: "attn.q : in scale",
            ..Sketch::default()
        },
        &[
            ("attn_norm.scale", INPUT, "into the columns of attn.{q, k, v}.weight"),
            ("attn.q.in_scale", INPUT, "into the columns of attn.q.weight"),
        ],
    );
}

#[test]
fn the_form_does_not_matter() {
    let forms = ["one_plus", "magnitude_direction", "exp_magnitude_direction", "softplus"];
    let plain = Sketch::default().compile();
    for form in forms {
        let placements = format!("scale : {form}");
        let checked = Sketch { placements: &placements, ..Sketch::default() }.compile();
        let facts = |checked: &CheckedModel| {
            checked.facts().iter().map(|facts| (facts.role, absorption(checked, facts))).collect::<Vec<_>>()
        };
        assert_eq!(facts(&checked), facts(&plain), "{form}");
    }
}

#[test]
fn a_layer_norms_gain_is_input_but_its_bias_keeps_it_from_folding() {
    proves(
        &Sketch { parts: "layer_norm attn_norm\n normalize mlp_norm, final_norm", ..Sketch::default() },
        &[(
            "attn_norm.scale",
            INPUT,
            "no: γ on `attn_norm_scaled` does not pass through `attn_norm.bias`, a bias, which it would not multiply; \
             `attn_norm_normalized` is a normalisation, which undoes a scale before it",
        )],
    );
}

#[test]
fn a_vector_on_the_embedding_is_output_and_folds_into_the_table_unless_it_is_tied() {
    let sketch = Sketch {
        parts: "normalize attn_norm, mlp_norm, final_norm\n scale embed_scale",
        embedding: "x = embed_scale(embed(tokens))",
        ..Sketch::default()
    };
    proves(&sketch, &[("embed_scale.scale", OUTPUT, "into the columns of embed.weight")]);
    let tied = Sketch { settings: "tie_embeddings = on", ..sketch };
    let checked = tied.compile();
    let Absorption::None(reason) = &checked.facts()[0].absorption else {
        panic!("a tied table cannot take it")
    };
    assert!(reason.ends_with("`embed.weight` cannot take γ: it is used elsewhere without it"), "{reason}");
}

#[test]
fn a_vector_on_the_logits_is_output_and_folds_into_the_heads_rows() {
    proves(
        &Sketch { placements: "unembed : out scale", ..bare() },
        &[("unembed.out_scale", OUTPUT, "into the rows of unembed.weight")],
    );
}

#[test]
fn proofs_read_as_a_path_through_the_graph() {
    let checked = Sketch {
        placements: "attn.{q, v} : out normalize(head) + scale\n unembed : out scale(scalar)",
        ..Sketch::default()
    }
    .compile();
    insta::assert_snapshot!(print::roles(&checked));
}
