//! A trained model and the start of a text in, more text out.

use crate::ffi::TorchError;
use crate::model::Model;
use crate::precision;
use crate::random;
use crate::spec::Precision;
use tch::{Device, Kind, Tensor};

/// The sample of a run folder.
pub const FILE: &str = "sample.txt";

/// Below 1 the likely bytes get likelier.
const TEMPERATURE: f64 = 0.8;
/// Bytes to write.
const NUM_BYTES: u64 = 400;
/// Bytes of the validation text to begin with.
const NUM_PROMPT_BYTES: usize = 48;

/// The first bytes of `val` and the model's continuation, drawn with `seed`; bytes that are not UTF-8 show as �.
pub fn sample<M: Model>(
    model: &M,
    val: &[u8],
    seed: u64,
    precision: Precision,
    device: Device,
) -> Result<String, TorchError> {
    let mut text: Vec<u8> = val.iter().copied().take(NUM_PROMPT_BYTES).collect();
    let stream = random::named(seed, "sample");
    let context = usize::try_from(M::SPEC.context).unwrap_or(usize::MAX);
    for index in 0..NUM_BYTES {
        let seen = text.get(text.len().saturating_sub(context)..).unwrap_or_default();
        let tokens_bt = Tensor::from_slice(seen).to_kind(Kind::Int64).unsqueeze(0).to_device(device);
        let logits_btv = tch::no_grad(|| precision::run(precision, device, || model.logits(&tokens_bt)))?;
        let last_v = logits_btv.select(0, 0).select(0, -1).to_kind(Kind::Double);
        let bytes_v = last_v.narrow(0, 0, M::SPEC.vocab.min(256));
        let weights = (bytes_v / TEMPERATURE).softmax(0, Kind::Double);
        let weights = Vec::<f64>::try_from(weights).unwrap_or_default();
        text.push(draw(&weights, random::unit(random::at(stream, index))));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The first index at which the running sum of `weights`, which add up to 1, passes `point` in `[0, 1)`.
fn draw(weights: &[f64], point: f64) -> u8 {
    let mut sum = 0.0;
    let found = weights.iter().position(|weight| {
        sum += weight;
        sum > point
    });
    found.unwrap_or(weights.len().saturating_sub(1)) as u8
}
