//! A trained model and the start of a text in, more text out.

use crate::ffi::TorchError;
use crate::model::Model;
use crate::precision;
use crate::random;
use crate::train::Plan;
use tch::{Kind, Tensor};

/// The sample of a run folder.
pub const FILE: &str = "sample.txt";

/// Below 1 the likely tokens get likelier.
const TEMPERATURE: f64 = 0.8;
/// Tokens to write.
const NUM_TOKENS: u64 = 400;
/// Tokens of the validation text to begin with.
const NUM_PROMPT_TOKENS: usize = 48;
/// What the model is shown is filled up to a multiple of this: in bf16 the CPU's products are compiled for each length anew, which
/// takes longer than they do, and are kept.
const LENGTH_STEP: usize = 64;

/// The first tokens of the first source's validation split and the model's continuation, drawn with the plan's seed.
pub fn sample<M: Model>(model: &M, plan: &Plan) -> Result<String, TorchError> {
    let Some(source) = plan.corpus.sources.first() else { return Ok(String::new()) };
    let mut tokens = source.val.tokens(0, NUM_PROMPT_TOKENS);
    let stream = random::named(plan.seed, "sample");
    let context = usize::try_from(M::SPEC.context).unwrap_or(usize::MAX);
    for index in 0..NUM_TOKENS {
        let mut seen = tokens.get(tokens.len().saturating_sub(context)..).unwrap_or_default().to_vec();
        let last = seen.len().saturating_sub(1);
        // No token looks at those after it.
        seen.resize(seen.len().next_multiple_of(LENGTH_STEP).min(context), 0);
        let tokens_bt = Tensor::from_slice(&seen).unsqueeze(0).to_device(plan.device);
        let logits_btv = tch::no_grad(|| {
            precision::run(plan.training.precision, plan.device, || model.logits(&tokens_bt))
        })?;
        let last_v = logits_btv.select(0, 0).select(0, last as i64).to_kind(Kind::Double);
        let known_v = last_v.narrow(0, 0, source.vocabulary.len(M::SPEC.vocab));
        let weights = (known_v / TEMPERATURE).softmax(0, Kind::Double);
        let weights = Vec::<f64>::try_from(weights).unwrap_or_default();
        tokens.push(draw(&weights, random::unit(random::at(stream, index))));
    }
    Ok(source.vocabulary.text(&tokens))
}

/// The first index at which the running sum of `weights`, which add up to 1, passes `point` in `[0, 1)`.
fn draw(weights: &[f64], point: f64) -> i64 {
    let mut sum = 0.0;
    let found = weights.iter().position(|weight| {
        sum += weight;
        sum > point
    });
    found.unwrap_or(weights.len().saturating_sub(1)) as i64
}
