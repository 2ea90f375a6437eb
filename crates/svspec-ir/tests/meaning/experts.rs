//! Mixtures of experts: counts of models that are known, what a token does not meet, and where vectors fold.

use crate::spec;
use svspec_ir::cost::cost;
use svspec_ir::{Absorption, CheckedModel, Role};

const MIXTRAL_8X7B: &str = "svspec 1
model mixtral_8x7b {
    vocab   = 32_000
    context = 4096
    width   = 4096

    attention attn    { heads = 32, kv_heads = 8, rope { theta = 1e6 } }
    moe       experts { experts = 8, top_k = 2, hidden = 14_336 }
    rms_norm  attn_norm, mlp_norm, final_norm

    layer {
        x = x + attn(attn_norm(x))
        x = x + experts(mlp_norm(x))
    }
    stack  = 32 * layer
    logits = unembed(final_norm(x))
}
optimizer adamw { decay 0.1 on all }
";

const QWEN3_30B_A3B: &str = "svspec 1
model qwen3_30b_a3b {
    vocab   = 151_936
    context = 4096
    width   = 2048

    attention attn    { heads = 32, kv_heads = 4, head_dim = 128, rope { theta = 1e6 } }
    moe       experts { experts = 128, top_k = 8, hidden = 768 }
    rms_norm  attn_norm, mlp_norm, final_norm { eps = 1e-6 }
    attn.{q, k} : out normalize(head) { eps = 1e-6 } + scale

    layer {
        x = x + attn(attn_norm(x))
        x = x + experts(mlp_norm(x))
    }
    stack  = 48 * layer
    logits = unembed(final_norm(x))
}
optimizer adamw { decay 0.1 on all }
";

/// The numbers of parameters are those that transformers counts in the published checkpoints.
#[test]
fn published_models_have_their_numbers_of_parameters() {
    let mixtral = spec::of_text(MIXTRAL_8X7B, "mixtral_8x7b");
    let mixtral = cost(mixtral.model(), mixtral.assignments());
    assert_eq!(mixtral.num_params, 46_702_792_704);
    assert_eq!(mixtral.num_active_params, 46_702_792_704 - 32 * 6 * 3 * 4096 * 14_336);

    let qwen = spec::of_text(QWEN3_30B_A3B, "qwen3_30b_a3b");
    let qwen = cost(qwen.model(), qwen.assignments());
    assert_eq!(qwen.num_params, 30_532_122_624);
    assert_eq!(qwen.num_active_params, 30_532_122_624 - 48 * 120 * 3 * 2048 * 768);
}

/// Matrix products are those of the chosen experts: two operations per active entry, embedding and vectors aside, and
/// attention's own.
#[test]
fn a_token_pays_for_the_experts_it_is_given_to() {
    let checked = spec::of_text(MIXTRAL_8X7B, "mixtral_8x7b");
    let report = cost(checked.model(), checked.assignments());
    let (embedding, vectors) = (32_000 * 4096, 65 * 4096);
    let attention = 32.0 * 2.0 * 2.0 * 32.0 * 128.0 * (4096.0 + 1.0) / 2.0;
    let expected = 2.0 * (report.num_active_params - embedding - vectors) as f64 + attention;
    assert!((report.flops.forward_matmul / expected - 1.0).abs() < 1e-12);
}

#[test]
fn roles_and_folding_of_the_vectors_around_experts() {
    let shared = spec::tiny_target("moe");
    let (role, absorption) = proved(&shared, "mlp_norm.scale");
    assert_eq!(role, Role::Input);
    assert_eq!(
        columns(&shared, absorption),
        ["experts.router.weight", "experts.gate.weight", "experts.up.weight"]
    );

    let placed = spec::tiny_target("moe_placed");
    for port in ["router", "gate", "up"] {
        let (role, absorption) = proved(&placed, &format!("experts.{port}.in_scale"));
        assert_eq!(role, Role::Input);
        assert_eq!(columns(&placed, absorption), [format!("experts.{port}.weight")]);
    }
    let (role, absorption) = proved(&placed, "experts.up.out_scale");
    assert_eq!(role, Role::Output);
    assert_eq!(columns(&placed, absorption), ["experts.down.weight"]);
    let (role, absorption) = proved(&placed, "experts.down.out_scale");
    assert_eq!(role, Role::Output);
    assert!(matches!(absorption, Absorption::IntoRows(folds) if folds.len() == 1));
    let (role, absorption) = proved(&placed, "experts.gate.out_scale");
    assert_eq!(role, Role::Output);
    assert!(matches!(absorption, Absorption::None(_)));
}

fn proved<'m>(checked: &'m CheckedModel, path: &str) -> (Role, &'m Absorption) {
    let index = checked.model().scales.iter().position(|scale| scale.path == path).unwrap();
    let facts = &checked.facts()[index];
    (facts.role, &facts.absorption)
}

fn columns(checked: &CheckedModel, absorption: &Absorption) -> Vec<String> {
    match absorption {
        Absorption::IntoColumns(folds) => {
            folds.iter().map(|fold| checked.model().params[fold.weight.0].path.clone()).collect()
        }
        Absorption::IntoRows(_) | Absorption::None(_) => Vec::new(),
    }
}
