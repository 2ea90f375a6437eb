//! The orthogonalisation behind Muon: against its polynomial on known singular values, and in three precisions.

use crate::runs::turn;
use svspec_runtime::optimizer::newton_schulz;
use tch::{Device, Kind, Tensor};

fn drawn(shape: [i64; 3]) -> Tensor {
    tch::manual_seed(3);
    Tensor::randn(shape, (Kind::Double, Device::Cpu))
}

fn singular_values(matrices: &Tensor) -> Vec<f64> {
    let (_, values, _) = matrices.to_kind(Kind::Double).svd(true, true);
    Vec::try_from(values.flatten(0, -1)).unwrap()
}

/// The Euclidean norm of the difference, relative to that of `b`.
fn difference(a: &Tensor, b: &Tensor) -> f64 {
    ((a.to_kind(Kind::Double) - b).norm() / b.norm()).double_value(&[])
}

#[test]
fn maps_each_singular_value_by_the_polynomial_and_keeps_the_vectors() {
    let _turn = turn();
    for shape in [[3, 5, 9], [2, 9, 5], [1, 6, 6]] {
        let matrices = drawn(shape);
        let (u, values, v) = matrices.svd(true, true);
        let mut mapped = &values / values.norm_scalaropt_dim(2, [1_i64], true);
        for _ in 0..5 {
            mapped = &mapped * 3.4445 - mapped.pow_tensor_scalar(3) * 4.7750
                + mapped.pow_tensor_scalar(5) * 2.0315;
        }
        let expected = (u * mapped.unsqueeze(1)).matmul(&v.transpose(1, 2));
        let found = newton_schulz(&matrices, 5, Kind::Double).unwrap();
        assert!(difference(&found, &expected) < 1e-12, "{:e}", difference(&found, &expected));
    }
}

/// 24 bits in f32 and 8 in bf16, with five iterations of three products each between input and output.
#[test]
fn f32_and_bf16_are_as_close_to_f64_as_their_bits_allow() {
    let _turn = turn();
    let matrices = drawn([4, 48, 96]);
    let exact = newton_schulz(&matrices, 5, Kind::Double).unwrap();
    let in_f32 = newton_schulz(&matrices, 5, Kind::Float).unwrap();
    let in_bf16 = newton_schulz(&matrices, 5, Kind::BFloat16).unwrap();
    assert!(difference(&in_f32, &exact) < 1e-5, "{:e}", difference(&in_f32, &exact));
    assert!(difference(&in_bf16, &exact) < 2e-2, "{:e}", difference(&in_bf16, &exact));
    assert!(difference(&in_bf16, &exact) > 1e-4, "bf16 cannot be that exact");
}

#[test]
fn makes_a_gaussian_matrix_nearly_orthogonal() {
    let _turn = turn();
    let values = singular_values(&newton_schulz(&drawn([2, 40, 80]), 5, Kind::BFloat16).unwrap());
    assert!(values.iter().all(|value| (0.6..1.3).contains(value)), "{values:?}");
}

#[test]
fn zeros_stay_zeros() {
    let _turn = turn();
    let zeros = Tensor::zeros([2, 3, 4], (Kind::Float, Device::Cpu));
    let found = newton_schulz(&zeros, 5, Kind::BFloat16).unwrap();
    assert!(found.to_kind(Kind::Float).equal(&zeros));
}
