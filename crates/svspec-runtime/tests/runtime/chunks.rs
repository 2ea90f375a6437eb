//! The loss by chunks of tokens is the loss of all tokens at once, and so is every gradient.

use super::operations::waves;
use svspec_runtime::spec::Precision;
use svspec_runtime::{nn, precision};
use tch::{Device, Kind, Tensor};

const NUM_SEQUENCES: i64 = 2;
const NUM_TOKENS: i64 = 11;
const WIDTH: i64 = 6;
const VOCAB: i64 = 13;

/// A head with all that heads have: a norm with its vector, a matrix that takes a vector, a multiplier, a soft-cap, a bias.
struct Head {
    norm_scale: Tensor,
    in_scale: Tensor,
    unembed: Tensor,
    bias: Tensor,
}

impl Head {
    fn new(kind: Kind) -> Self {
        let leaf =
            |shape: &[i64], offset| waves(shape, offset).to_kind(kind).detach().set_requires_grad(true);
        Self {
            norm_scale: leaf(&[WIDTH], 0.1),
            in_scale: leaf(&[WIDTH], 0.7),
            unembed: leaf(&[VOCAB, WIDTH], 0.2),
            bias: leaf(&[VOCAB], 0.3),
        }
    }

    fn params(&self) -> [&Tensor; 4] {
        [&self.norm_scale, &self.in_scale, &self.unembed, &self.bias]
    }

    fn mean(&self, x_btd: &Tensor, targets_bt: &Tensor) -> Tensor {
        let n = nn::rms_norm(x_btd, 1, 1e-5) * &self.norm_scale;
        let logits = nn::linear(&n, &(&self.unembed * &self.in_scale)) * 0.5 + &self.bias;
        nn::cross_entropy(&nn::soft_cap(&logits, 3.0), targets_bt)
    }
}

fn residual_stream(kind: Kind) -> Tensor {
    waves(&[NUM_SEQUENCES, NUM_TOKENS, WIDTH], 0.4).to_kind(kind).detach().set_requires_grad(true)
}

fn targets() -> Tensor {
    Tensor::arange(NUM_SEQUENCES * NUM_TOKENS, (Kind::Int64, Device::Cpu))
        .remainder(VOCAB)
        .view([NUM_SEQUENCES, NUM_TOKENS])
}

/// The loss, and the gradients of the residual stream and of the head's parameters; `chunk` of `None` is all at once. What
/// comes before and after is there to be differentiated through.
fn loss_and_gradients(kind: Kind, precision: Precision, chunk: Option<i64>) -> Vec<Tensor> {
    let (head, x, targets) = (Head::new(kind), residual_stream(kind), targets());
    let loss = precision::run(precision, Device::Cpu, || {
        let stream = &x * 0.9;
        let mean = |x: &Tensor, targets: &Tensor| head.mean(x, targets);
        let mean = match chunk {
            None => mean(&stream, &targets),
            Some(chunk) => nn::mean_by_chunks(&stream, &targets, chunk, &head.params(), mean),
        };
        // The head's weight has another reader, as a tied one has.
        mean * 0.25 + head.unembed.square().mean(None::<Kind>)
    });
    let loss = loss.unwrap();
    let mut leaves = vec![&x];
    leaves.extend(head.params());
    let gradients = Tensor::run_backward(&[&loss], &leaves, false, false);
    std::iter::once(loss.detach()).chain(gradients).collect()
}

/// Of the largest entry.
fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    let (found, expected) = (found.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    ((found - &expected).abs().max() / expected.abs().max()).double_value(&[])
}

#[test]
fn chunks_add_up_to_the_whole_loss_and_to_every_gradient() {
    let cases = [(Kind::Double, Precision::F32, 1e-14), (Kind::Float, Precision::F32, 1e-5)];
    for (kind, precision, tolerance) in cases {
        let whole = loss_and_gradients(kind, precision, None);
        for chunk in [1, 4, 21, 22, 100] {
            let chunked = loss_and_gradients(kind, precision, Some(chunk));
            for (index, (found, expected)) in chunked.iter().zip(&whole).enumerate() {
                let error = relative_error(found, expected);
                assert!(error < tolerance, "{kind:?}, chunks of {chunk}, tensor {index}: off by {error:e}");
                assert_eq!(found.kind(), expected.kind());
            }
        }
    }
}

/// Not the same: sums over chunks are made in f32, where the whole product's is rounded to bf16 once.
#[test]
fn under_autocast_chunks_are_as_near_to_f32_as_the_whole() {
    let exact = loss_and_gradients(Kind::Float, Precision::F32, None);
    let whole = loss_and_gradients(Kind::Float, Precision::Bf16, None);
    let chunked = loss_and_gradients(Kind::Float, Precision::Bf16, Some(5));
    for ((exact, whole), chunked) in exact.iter().zip(&whole).zip(&chunked) {
        let (of_whole, of_chunks) = (relative_error(whole, exact), relative_error(chunked, exact));
        assert!(of_chunks < 1.5 * of_whole + 1e-3, "{of_chunks:e}, and {of_whole:e} of the whole");
        assert_eq!(chunked.kind(), Kind::Float);
    }
}

#[test]
fn without_gradients_there_is_the_loss_alone() {
    let (head, x, targets) = (Head::new(Kind::Double), residual_stream(Kind::Double), targets());
    let (whole, chunked) = tch::no_grad(|| {
        let stream = &x * 0.9;
        let mean = |x: &Tensor, targets: &Tensor| head.mean(x, targets);
        (mean(&stream, &targets), nn::mean_by_chunks(&stream, &targets, 4, &head.params(), mean))
    });
    assert!(relative_error(&chunked, &whole) < 1e-14);
    assert!(!chunked.requires_grad());
}
