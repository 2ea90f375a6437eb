//! Counts against published numbers and against sums done by hand.

use crate::spec;
use std::collections::BTreeMap;
use svspec_ir::Model;
use svspec_ir::cost::cost;
use svspec_ir::eval::random_values;
use svspec_ir::rewrite::{Rewrites, optimise};

const LLAMA_1B: &str = "svspec 1
model llama_1b {
    vocab   = 50_304
    context = 1024
    width   = 1792
    attention attn { heads = 14, rope { theta = 10_000 } }
    swiglu    mlp  { hidden = 4778 }
    rms_norm  attn_norm, mlp_norm, final_norm
    layer {
        x = x + attn(attn_norm(x))
        x = x + mlp(mlp_norm(x))
    }
    stack  = 22 * layer
    logits = unembed(final_norm(x))
}
optimizer adamw { lr = 1e-3, decay 0.1 on all }
train { steps = 10, batch = 4 }
";

/// arXiv 2605.26895 counts its Llama-1B so.
#[test]
fn llama_1b_has_the_papers_number_of_parameters() {
    let checked = spec::of_text(LLAMA_1B, "llama_1b");
    let report = cost(checked.model(), checked.assignments());
    assert_eq!(report.num_params, 1_028_065_024);
    assert_eq!(report.num_scale_params, 80_640);
}

/// `2 · 22 · (4 d² + 3 d h)`, the head's `2 d V`, and attention's two products over `(T + 1) / 2` positions.
#[test]
fn llama_1b_multiplies_as_its_weights_say() {
    let checked = spec::of_text(LLAMA_1B, "llama_1b");
    let report = cost(checked.model(), checked.assignments());
    let (d, h, layers) = (1792.0, 4778.0, 22.0);
    let weights = layers * (4.0 * d * d + 3.0 * d * h) + 50_304.0 * d;
    let attention = layers * 2.0 * 2.0 * d * 512.5;
    let expected = 2.0 * weights + attention;
    assert!((report.flops.forward_matmul - expected).abs() < 1e-9 * expected);
    assert!((report.flops.training_matmul - 3.0 * expected).abs() < 1e-9 * expected);
    let element_wise = report.flops.forward / report.flops.forward_matmul;
    assert!(element_wise > 1.0 && element_wise < 1.01, "{element_wise}");
}

#[test]
fn memory_is_that_of_adamw_in_f32() {
    let checked = spec::of_text(&LLAMA_1B.replace("batch = 4", "batch = 4, loss_chunk = off"), "llama_1b");
    let report = cost(checked.model(), checked.assignments());
    let memory = report.memory;
    assert_eq!(memory.weights, 4 * 1_028_065_024);
    assert_eq!(memory.optimizer, 2 * memory.weights);
    // When it is most, the loss is computed: beside the logits stand their log-probabilities, of which the gradient will be made,
    // and no gradient of a parameter is there yet.
    assert_eq!(memory.gradients, 0);
    assert_eq!(memory.logits, 4 * 1024 * 50_304 * 8);
    // Per token and layer: two norms keep n and its statistic, two scales the same n, the maps keep the two scaled values;
    // attention keeps q, k, v and the context; the gate keeps its input and output, up, and the product.
    let per_layer = 2 * (2 * 1792 + 1) + 4 * 1792 + 14 + 4 * 4778;
    let head = 2 * 1792 + 1;
    assert_eq!(memory.activations, 4 * 1024 * 4 * (22 * per_layer + head));
    assert_eq!(memory.weight_copies, 0);
    // The ids of tokens and targets.
    assert_eq!(memory.working, 4 * 1024 * 16);
    let parts = [memory.weights, memory.optimizer, memory.activations, memory.logits, memory.working];
    assert_eq!(memory.total, parts.iter().sum::<u64>());
}

#[test]
fn each_setting_takes_away_what_it_is_for() {
    let memory = |train: &str| {
        let checked =
            spec::of_text(&LLAMA_1B.replace("batch = 4", &format!("batch = 4, {train}")), "llama_1b");
        cost(checked.model(), checked.assignments()).memory
    };
    let whole = memory("loss_chunk = off");
    let chunked = memory("loss_chunk = 1024");
    // By chunks it is most when a chunk's gradient is there, and its logits are gone.
    assert_eq!(2 * 4 * chunked.logits, whole.logits);
    let recomputed = memory("loss_chunk = 1024, recompute = layers");
    assert!(recomputed.activations < chunked.activations / 5);
    let half = memory("loss_chunk = 1024, recompute = 11");
    assert!(recomputed.total < half.total && half.total < chunked.total);
    // Of many parameters and few tokens the gradients are most: the last micro-batch's beside the sums of those before.
    let summed = memory("micro_batch = 1");
    assert_eq!(summed.gradients, 2 * summed.weights);
    let stochastic = memory("precision = bf16_stochastic");
    assert_eq!((2 * stochastic.weights, 2 * stochastic.optimizer), (whole.weights, whole.optimizer));
}

/// Muon remembers one number for each entry, SGD without momentum none.
#[test]
fn memory_follows_what_steps_each_tensor() {
    let remembered = |rule: &str| {
        let text = LLAMA_1B.replace("optimizer adamw {", &format!("optimizer adamw {{\n{rule}\n"));
        let checked = spec::of_text(&text, "llama_1b");
        cost(checked.model(), checked.assignments()).memory.optimizer
    };
    let (all, matrices) = (1_028_065_024_u64, 22 * (4 * 1792 * 1792 + 3 * 1792 * 4778));
    assert_eq!(remembered(""), 8 * all);
    assert_eq!(remembered("use muon on attn, mlp"), 8 * all - 4 * matrices);
    assert_eq!(remembered("use sgd on attn, mlp"), 8 * (all - matrices));
}

#[test]
fn parts_and_kinds_sum_to_the_whole() {
    for checked in spec::tiny() {
        let report = cost(checked.model(), checked.assignments());
        let of_parts: u64 = report.parts.iter().map(|part| part.num_params).sum();
        let of_kinds: u64 = report.by_kind.iter().map(|kind| kind.num_params).sum();
        let of_tensors: usize =
            random_values(checked.model(), 0).values().map(|value| value.data.len()).sum();
        assert_eq!((of_parts, of_kinds), (of_tensors as u64, of_tensors as u64), "{}", checked.model().name);
    }
}

/// A fused product is counted to the parts whose weights are in it.
#[test]
fn rewrites_leave_products_and_parameters_to_their_parts() {
    for target in ["base", "unified", "parallel"] {
        let checked = spec::tiny_target(target);
        let (rewritten, _) = optimise(checked.model(), &Rewrites::default());
        let products = |model: &Model| -> BTreeMap<(String, String), (u64, u64)> {
            let parts =
                cost(model, checked.assignments()).parts.into_iter().filter(|part| part.num_params > 0);
            parts
                .map(|part| {
                    ((part.region, part.part), (part.num_params, part.forward_matmul_flops.round() as u64))
                })
                .collect()
        };
        assert_eq!(products(checked.model()), products(&rewritten), "{target}");
    }
}

#[test]
fn an_enormous_batch_is_counted_without_overflow() {
    let text = LLAMA_1B.replace("batch = 4", "batch = 4_000_000").replace("1024", "4_000_000");
    let checked = spec::of_text(&text, "llama_1b");
    assert_eq!(cost(checked.model(), checked.assignments()).memory.activations, u64::MAX);
}
