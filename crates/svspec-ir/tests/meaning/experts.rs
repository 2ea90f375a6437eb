//! Mixtures of experts: counts of models that are known, what a token does not meet, and where vectors fold.

use crate::spec;
use svspec_ir::cost::cost;
use svspec_ir::op::Choose;
use svspec_ir::role::Fold;
use svspec_ir::{Absorption, CheckedModel, Op, ParamKind, Role};

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

/// Each expert's vectors go into that expert's own rows or columns: as many factors as all matrices have together.
#[test]
fn vectors_of_each_expert_fold_into_its_own_matrix() {
    let parts = spec::tiny_target("moe_parts");
    let of = |path: &str| {
        let (role, absorption) = proved(&parts, path);
        let (side, folds) = match absorption {
            Absorption::IntoColumns(folds) => ("columns", folds),
            Absorption::IntoRows(folds) => ("rows", folds),
            Absorption::None(_) => return (role, Vec::new()),
        };
        let of_fold = |fold: &Fold| {
            let entries: Vec<usize> = fold.channels.iter().flatten().copied().collect();
            (side, parts.model().params[fold.weight.0].path.as_str(), entries)
        };
        (role, folds.iter().map(of_fold).collect())
    };
    let all = |count: usize| (0..count).collect::<Vec<usize>>();
    assert_eq!(
        of("expert.gate.in_scale"),
        (Role::Input, vec![("columns", "expert.gate.weight", all(4 * 12))])
    );
    assert_eq!(of("plain.down.in_scale"), (Role::Input, vec![("columns", "plain.down.weight", all(4 * 4))]));
    let down = vec![("rows", "expert.down.weight", all(4 * 12)), ("rows", "expert.down.bias", all(4 * 12))];
    assert_eq!(of("expert.down.out_scale"), (Role::Output, down));
    // A norm stands before it, and a bound behind it.
    assert_eq!(of("expert.up.out_scale"), (Role::Output, Vec::new()));
    // What all experts share goes into the same columns of each.
    assert_eq!(of("expert.up.in_scale"), (Role::Input, vec![("columns", "expert.up.weight", all(12))]));
}

/// Matrices, biases and vectors of the experts that a token is not given to, two of four in each mixture.
#[test]
fn a_token_does_not_meet_what_other_experts_have() {
    let parts = spec::tiny_target("moe_parts");
    let report = cost(parts.model(), parts.assignments());
    let (width, hidden, plain) = (12, 6, 4);
    let of_expert = 3 * width * hidden + 2 * hidden + width;
    let vectors_of_expert = width + (hidden + 1) + (width + 1);
    let of_plain = 2 * width * plain + plain + width;
    let vectors_of_plain = plain + plain;
    let idle = 2 * (of_expert + vectors_of_expert + of_plain + vectors_of_plain);
    let num_layers = parts.model().stack.len() as u64;
    assert_eq!(report.num_params - report.num_active_params, num_layers * idle);
}

/// Which of a token's experts comes first says nothing of it.
#[test]
fn no_parameter_counts_the_chosen() {
    for checked in spec::tiny() {
        for param in &checked.model().params {
            assert!(param.dims.iter().all(|dim| dim.name != "chosen"), "{}", param.path);
        }
    }
}

#[test]
fn what_a_variant_takes_away_is_gone() {
    let text = include_str!("tiny.svspec").replace(
        "optimizer adamw {",
        "variant bare of moe_balanced {\n    {experts, others}.balance = none\n    others.z_loss = none\n    \
         experts.{correction, groups} = off\n}\noptimizer adamw {",
    );
    let bare = spec::of_text(&text, "bare");
    assert!(bare.model().side_losses().is_empty() && bare.model().side_values.is_empty());
    assert!(bare.model().params.iter().all(|param| param.kind != ParamKind::Correction));
    let choices: Vec<&Choose> =
        ops(&bare).filter_map(|op| if let Op::Choose(choose) = op { Some(choose) } else { None }).collect();
    assert!(choices.len() == 2 && choices.iter().all(|choose| choose.groups.is_none()));
}

/// The number that a mixture adds to the sum of its weights is not that of a norm at one of its ports.
#[test]
fn a_norm_at_the_router_has_the_number_of_a_norm() {
    let defined = spec::tiny_target("moe_defined");
    let numbers: Vec<f64> = ops(&defined)
        .filter_map(|op| if let Op::Normalize(norm) = op { norm.eps.uniform() } else { None })
        .collect();
    assert!(numbers.len() == 4 && numbers.iter().all(|eps| eps.total_cmp(&1e-5).is_eq()), "{numbers:?}");
    assert_eq!(proved(&defined, "ffn.some.router.in_scale").0, Role::Input);
}

fn ops(checked: &CheckedModel) -> impl Iterator<Item = &Op> {
    checked.model().regions.iter().flat_map(|region| &region.nodes).map(|node| &node.op)
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
