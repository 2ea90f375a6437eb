//! Documents that are apart: each is computed as if it were alone.

use crate::agreement::distance;
use crate::spec;
use svspec_ir::eval::{Tensor, forward, random_values};
use svspec_ir::{CheckedModel, cost};

/// Whatever sees other tokens, or where a token stands.
fn model(settings: &str) -> CheckedModel {
    let text = format!(
        "svspec 1
model packed {{
    vocab   = 7
    context = 8
    width   = 8
    {settings}
    positions pos
    sinusoids waves
    attention turned  {{ heads = 2, rope }}
    attention near    {{ heads = 2, window = 2, sinks = on }}
    attention chunked {{ heads = 2, chunk = 2, soft_cap = 2 }}
    attention sloped  {{ heads = 2, alibi }}
    rms_norm  norm, final_norm
    x = embed(tokens) + pos(tokens) + waves(tokens)
    layer {{
        n = norm(x)
        x = x + turned(n) + near(n * log(2 + position)) + delay(n, 1)
        x = x + chunked(norm(x)) + sloped(norm(x)) + delay(x, 3)
    }}
    stack  = 2 * layer
    logits = unembed(final_norm(x))
}}
optimizer adamw {{ lr = 1e-3, decay 0.1 on all }}
train {{ steps = 10, batch = 2 }}
"
    );
    spec::of_text(&text, "packed")
}

/// Three documents that the token 3 ends, and one that goes on.
const DOCUMENTS: [&[f64]; 4] = [&[1.0, 2.0, 3.0], &[3.0], &[4.0, 5.0, 3.0], &[6.0]];

/// Of all documents one after another, the difference of each one's logits from those that it has alone.
fn differences(settings: &str) -> Vec<f64> {
    let checked = model(settings);
    let values = random_values(checked.model(), 3);
    let logits = |documents: &[&[f64]]| {
        let tokens = documents.concat();
        let tokens = Tensor::new(vec![1, tokens.len()], tokens);
        forward(checked.model(), &values, &tokens, &tokens).logits.data
    };
    let together = logits(&DOCUMENTS);
    let mut rest = together.as_slice();
    let mut difference = |document: &&[f64]| {
        let alone = logits(&[document]);
        let (own, others) = rest.split_at(alone.len());
        rest = others;
        let [own, alone] = [own.to_vec(), alone].map(|entries| Tensor::new(vec![entries.len()], entries));
        distance(&own, &alone)
    };
    DOCUMENTS.iter().map(&mut difference).collect()
}

#[test]
fn a_document_is_computed_as_if_it_were_alone() {
    let apart = differences("document_end = 3");
    assert!(apart.iter().all(|difference| *difference < 1e-12), "{apart:?}");
    let joined = differences("");
    assert!(joined[0] == 0.0 && joined[1..].iter().all(|difference| *difference > 1e-3), "{joined:?}");
}

#[test]
fn layers_share_the_masks() {
    let memory = |settings: &str, num_layers: usize| {
        let text = format!(
            "svspec 1
model packed {{
    vocab = 7, context = 64, width = 8
    {settings}
    attention attn {{ heads = 2, rope }}
    rms_norm norm, final_norm
    layer {{
        x = x + attn(norm(x))
    }}
    stack  = {num_layers} * layer
    logits = unembed(final_norm(x))
}}
optimizer adamw {{ lr = 1e-3, decay 0.1 on all }}
train {{ steps = 10, batch = 2 }}
"
        );
        let checked = spec::of_text(&text, "packed");
        cost::cost(checked.model(), checked.assignments()).memory.activations
    };
    let mask = |num_layers| memory("document_end = 3", num_layers) - memory("", num_layers);
    assert_eq!((mask(1), mask(5)), (4 * 2 * 64 * 64, 4 * 2 * 64 * 64));
}
