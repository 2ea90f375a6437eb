//! How many tokens the head and the loss take at a time, and which layers are computed again.

use crate::spec;
use svspec_ir::cost::{cost, loss_chunk};
use svspec_ir::rewrite::{Rewrites, optimise};

const PLAIN: &str = "final_norm(x)";

fn text(head: &str, train: &str) -> String {
    format!(
        "svspec 1
model small {{
    vocab   = 50_304
    context = 1024
    width   = 64
    attention attn, last {{ heads = 4, rope }}
    rms_norm  norm, final_norm
    layer {{
        x = x + attn(norm(x))
    }}
    stack  = 3 * layer
    logits = unembed({head})
}}
optimizer adamw {{ decay 0.1 on all }}
train {{ steps = 10, batch = 8, {train} }}
"
    )
}

fn chunk(text: &str) -> Option<u64> {
    loss_chunk(spec::of_text(text, "small").model())
}

#[test]
fn a_chunk_is_what_the_spec_says() {
    assert_eq!(chunk(&text(PLAIN, "loss_chunk = 700")), Some(700));
    assert_eq!(chunk(&text(PLAIN, "loss_chunk = 2K tokens")), Some(2000));
    assert_eq!(chunk(&text(PLAIN, "loss_chunk = off")), None);
    // One chunk is none, of a micro-batch that is the batch or smaller.
    assert_eq!(chunk(&text(PLAIN, "loss_chunk = 8192")), None);
    assert_eq!(chunk(&text(PLAIN, "micro_batch = 1, loss_chunk = 1024")), None);
}

#[test]
fn by_itself_a_chunk_is_a_power_of_two_whose_logits_are_small_beside_the_rest() {
    let wide = text(PLAIN, "micro_batch = 8").replace("width   = 64", "width   = 8192");
    let found = chunk(&wide).unwrap();
    let whole = spec::of_text(&wide.replace("micro_batch = 8", "loss_chunk = off"), "small");
    let memory = cost(whole.model(), whole.assignments()).memory;
    let rest = 4 * memory.weights + memory.weight_copies + memory.activations;
    // Logits and their gradient.
    let of_chunk = |tokens: u64| 2 * 4 * 50_304 * tokens;
    assert!(found.is_power_of_two() && found > 1024, "{found}");
    assert!(of_chunk(found) <= rest / 10 && of_chunk(2 * found) > rest / 10, "{found}");
    // However little the rest is, a chunk is worth a product.
    assert_eq!(chunk(&text(PLAIN, "seed = 0")), Some(1024));
    // Bytes as tokens: the logits are nothing.
    assert_eq!(chunk(&text(PLAIN, "seed = 0").replace("50_304", "32")), None);
}

#[test]
fn a_head_that_looks_at_other_tokens_stays_whole() {
    assert_eq!(chunk(&text("last(final_norm(x))", "loss_chunk = 700")), None);
}

/// The head's matrix would be scaled once for each chunk, and its gradient too.
#[test]
fn a_vector_moves_onto_the_heads_matrix_where_that_is_less_for_all_chunks_together() {
    let moved = |train: &str| {
        let checked = spec::of_text(&text(PLAIN, train).replace("50_304", "2000"), "small");
        let (_, log) = optimise(checked.model(), &Rewrites::default());
        log.iter().any(|line| format!("{line:?}").contains("final_norm"))
    };
    assert!(moved("loss_chunk = off"));
    assert!(!moved("loss_chunk = 1024"));
}

#[test]
fn recomputed_layers_are_counted_from_the_first() {
    let recomputed = |train: &str| spec::of_text(&text(PLAIN, train), "small").model().train.recompute;
    assert_eq!(recomputed("recompute = layers"), 3);
    assert_eq!(recomputed("recompute = layers - 1"), 2);
    assert_eq!(recomputed("recompute = 50%"), 2);
    assert_eq!(recomputed("recompute = off"), 0);
    assert_eq!(recomputed("seed = 0"), 0);
}
