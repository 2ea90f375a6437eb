//! The residual stream and its norm in one pass, against sums and norms that are written out operation by operation in f64.

use crate::operations::{largest_error, waves};
use svspec_runtime::nn;
use svspec_runtime::precision;
use svspec_runtime::spec::Precision;
use tch::{Device, Kind, Tensor};

const EPS: f64 = 1e-3;

/// What is read of a stream and its norm, and what is derived of that.
struct Passed {
    stream: Tensor,
    normalized: Tensor,
    /// The gradients of what was given.
    gradients: Vec<Tensor>,
}

impl Passed {
    fn tensors(&self) -> Vec<&Tensor> {
        [&self.stream, &self.normalized].into_iter().chain(&self.gradients).collect()
    }
}

/// Which of the two results something reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    Both,
    Stream,
    Norm,
}

/// What `pass` makes of copies of `given`, and the gradients of products with fixed weights.
fn passed(given: &[&Tensor], read: Read, pass: impl Fn(&[Tensor]) -> (Tensor, Tensor)) -> Passed {
    let given: Vec<Tensor> = given.iter().map(|x| x.detach().copy().set_requires_grad(true)).collect();
    let (stream, normalized) = pass(&given);
    let along = |y: &Tensor, phase: f64| {
        // What bf16 holds as well, so that rounding is that of what is tested.
        let weights = waves(&y.size(), phase).to_kind(Kind::BFloat16).to_kind(y.kind());
        (y * weights).sum(Kind::Double)
    };
    let loss = match read {
        Read::Both => along(&stream, 0.7) + along(&normalized, 1.3),
        Read::Stream => along(&stream, 0.7),
        Read::Norm => along(&normalized, 1.3),
    };
    loss.backward();
    Passed {
        stream: stream.detach(),
        normalized: normalized.detach(),
        gradients: given.iter().map(Tensor::grad).collect(),
    }
}

fn written_out(stream: Tensor, num_axes: usize) -> (Tensor, Tensor) {
    let axes: Vec<i64> = (1..=num_axes as i64).map(|axis| -axis).collect();
    let mean_square = stream.square().mean_dim(axes, true, stream.kind());
    let normalized = &stream / (mean_square + EPS).sqrt();
    (stream, normalized)
}

fn sum_written_out(given: &[Tensor], num_axes: usize) -> (Tensor, Tensor) {
    written_out(&given[0] + &given[1], num_axes)
}

/// The largest error beside the largest entry: rows whose sides nearly cancel have large derivatives.
fn error(found: &Tensor, expected: &Tensor) -> f64 {
    let largest = if expected.numel() == 0 { 0.0 } else { expected.abs().max().double_value(&[]) };
    largest_error(found, expected) / largest.max(1.0)
}

/// Streams as training has them, whose rows are a register's, more, or less; the last one has work for several threads.
fn streams() -> Vec<Tensor> {
    let heads_last = waves(&[3, 4, 5, 9], 0.3).transpose(1, 2);
    vec![
        waves(&[2, 7, 344], 0.2),
        heads_last,
        waves(&[17], 0.5),
        waves(&[2, 3, 1], 0.6),
        waves(&[0, 3, 8], 0.0),
        waves(&[16, 64, 96], 0.9),
    ]
}

#[test]
fn a_sum_and_its_norm_follow_the_formula() {
    for x in streams() {
        let branch = waves(&x.size(), 2.1);
        for num_axes in 1..=x.dim().min(2) {
            for read in [Read::Both, Read::Stream, Read::Norm] {
                let expected = passed(&[&x, &branch], read, |given| sum_written_out(given, num_axes));
                for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 6e-6)] {
                    let given = [&x.to_kind(kind), &branch.to_kind(kind)];
                    let found =
                        passed(&given, read, |given| nn::add_rms_norm(&given[0], &given[1], num_axes, EPS));
                    for (found, expected) in found.tensors().into_iter().zip(expected.tensors()) {
                        assert_eq!(found.kind(), kind);
                        let error = error(found, expected);
                        assert!(error < tolerance, "{:?}, {read:?}, {kind:?}: off by {error:e}", x.size());
                    }
                }
            }
        }
    }
}

/// In bf16 products give bf16, which is added to a stream of f32, on whichever side it stands; throughout, the stream is bf16 too.
#[test]
fn bf16_is_read_and_written_as_it_is() {
    for x in streams() {
        let branch = waves(&x.size(), 2.1).to_kind(Kind::BFloat16);
        let kinds = |kind: Kind| (x.to_kind(kind), branch.shallow_clone());
        let (single, half) = (kinds(Kind::Float), kinds(Kind::BFloat16));
        for (a, b, stream) in [
            (&single.0, &single.1, Kind::Float),
            (&single.1, &single.0, Kind::Float),
            (&half.0, &half.1, Kind::BFloat16),
        ] {
            let exact = [&a.to_kind(Kind::Double), &b.to_kind(Kind::Double)];
            let expected = passed(&exact, Read::Both, |given| sum_written_out(given, 1));
            let found = precision::run(Precision::Bf16, Device::Cpu, || {
                passed(&[a, b], Read::Both, |given| {
                    nn::add_rms_norm_for_products(&given[0], &given[1], 1, EPS)
                })
            })
            .unwrap();
            let kinds: Vec<Kind> = found.tensors().iter().map(|tensor| tensor.kind()).collect();
            assert_eq!(kinds, [stream, Kind::BFloat16, a.kind(), b.kind()]);
            for (found, expected) in found.tensors().into_iter().zip(expected.tensors()) {
                let error = error(&found.to_kind(Kind::Double), expected);
                assert!(error < 1e-2, "{:?}, {:?}: off by {error:e}", x.size(), found.kind());
            }
        }
    }
}

#[test]
fn without_gradients_it_is_the_same() {
    let (x, branch) = (waves(&[2, 7, 344], 0.2), waves(&[2, 7, 344], 2.1));
    let (stream, normalized) = tch::no_grad(|| nn::add_rms_norm(&x, &branch, 1, EPS));
    let expected = sum_written_out(&[x, branch], 1);
    assert!(stream.equal(&expected.0));
    assert!(largest_error(&normalized, &expected.1) < 1e-12);
}

#[test]
#[should_panic(expected = "a branch of [3, 4] beside [2, 4]")]
fn other_sizes_are_refused() {
    let _ = nn::add_rms_norm(&waves(&[2, 4], 0.0), &waves(&[3, 4], 0.0), 1, EPS);
}
