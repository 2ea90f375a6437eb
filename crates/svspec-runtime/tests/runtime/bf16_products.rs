//! Products of bf16 matrices that are made in f32, as they are where the processor has none in bf16: against f64.

use crate::runs::turn;
use svspec_runtime::{ffi, nn};
use tch::{Device, Kind, Tensor};

/// Half of the distance of neighbouring numbers of bf16, relative to them: 8 bits of significand.
const HALF_STEP: f64 = 1.0 / 256.0;

fn drawn(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, (Kind::Double, Device::Cpu)).to_kind(Kind::BFloat16)
}

/// Each entry is that of `product` in f64, rounded once; sums in f32 may be on the other side of a border.
fn is_rounded_once(what: &str, operands: &[&Tensor], product: impl Fn(&[Tensor]) -> Tensor) {
    let exact: Vec<Tensor> = operands.iter().map(|operand| operand.to_kind(Kind::Double)).collect();
    let operands: Vec<Tensor> = operands.iter().map(|operand| operand.shallow_clone()).collect();
    let (found, exact) = (product(&operands), product(&exact));
    assert_eq!((found.kind(), found.size()), (Kind::BFloat16, exact.size()), "{what}");
    let error = ((found.to_kind(Kind::Double) - &exact).abs() / (exact.abs() + 1e-3)).max().double_value(&[]);
    assert!(error < 1.01 * HALF_STEP, "{what}: {error:e}");
}

#[test]
fn are_rounded_once() {
    let _turn = turn();
    tch::manual_seed(5);
    ffi::widen_bf16_products(true).unwrap();
    let weight = drawn(&[48, 64]);
    for batch in [&[][..], &[3]] {
        let drawn = |sizes: [i64; 2]| drawn(&[batch, &sizes].concat());
        let [left, right, beside] = [drawn([40, 64]), drawn([64, 48]), drawn([40, 48])];
        is_rounded_once("a product", &[&left, &right], |x| x[0].matmul(&x[1]));
        is_rounded_once("a product to a place", &[&left, &right, &beside], |x| {
            x[0].matmul_out(&x[2].empty_like(), &x[1])
        });
        is_rounded_once("a product and a sum", &[&beside, &left, &right], |x| match batch {
            [] => x[0].f_addmm(&x[1], &x[2]).unwrap(),
            _ => x[0].baddbmm(&x[1], &x[2], 0.5, 2.0),
        });
        is_rounded_once("a linear map", &[&left, &weight], |x| nn::linear(&x[0], &x[1]));
    }
    ffi::widen_bf16_products(false).unwrap();
}

/// The derivatives are products of bf16 matrices, too.
#[test]
fn so_are_their_derivatives() {
    let _turn = turn();
    tch::manual_seed(6);
    ffi::widen_bf16_products(true).unwrap();
    let operands = [&drawn(&[2, 40, 64]), &drawn(&[48, 64]), &drawn(&[2, 40, 48])];
    for of in 0..2 {
        is_rounded_once(&format!("gradient of operand {of}"), &operands, |x| {
            let of_loss = [0, 1].map(|i| x[i].detach().set_requires_grad(true));
            let y = nn::linear(&of_loss[0], &of_loss[1]);
            Tensor::run_backward(&[(y * &x[2]).sum(Kind::Double)], &[&of_loss[of]], false, false).remove(0)
        });
    }
    ffi::widen_bf16_products(false).unwrap();
}

/// Probabilities are not rounded, so that what is left is the rounding of the result.
#[test]
fn so_is_attention() {
    let _turn = turn();
    tch::manual_seed(8);
    ffi::widen_bf16_products(true).unwrap();
    let operands: Vec<Tensor> = (0..4).map(|_| drawn(&[2, 24, 3, 16])).collect();
    let operands: Vec<&Tensor> = operands.iter().collect();
    is_rounded_once("attention", &operands, |x| nn::attention(&x[0], &x[1], &x[2], 0.25, None, None));
    is_rounded_once("attention in a window", &operands, |x| {
        nn::attention(&x[0], &x[1], &x[2], 0.25, Some(5), None)
    });
    ffi::widen_bf16_products(false).unwrap();
}

/// They are computed from the result as it was rounded: on the whole within a step of bf16 of what is exact.
#[test]
fn derivatives_of_attention_are_as_close_as_its_result() {
    let _turn = turn();
    tch::manual_seed(9);
    ffi::widen_bf16_products(true).unwrap();
    let operands: Vec<Tensor> = (0..4).map(|_| drawn(&[2, 24, 3, 16])).collect();
    let derivatives = |kind: Kind| {
        let leaves = [0, 1, 2].map(|i: usize| operands[i].to_kind(kind).set_requires_grad(true));
        let y = nn::attention(&leaves[0], &leaves[1], &leaves[2], 0.25, None, None);
        Tensor::run_backward(&[(y * &operands[3]).sum(kind)], &leaves, false, false)
    };
    for (found, exact) in derivatives(Kind::BFloat16).iter().zip(derivatives(Kind::Double)) {
        assert_eq!(found.kind(), Kind::BFloat16);
        let error = ((found.to_kind(Kind::Double) - &exact).norm() / exact.norm()).double_value(&[]);
        assert!(error < 2.0 * HALF_STEP, "{error:e}");
    }
    ffi::widen_bf16_products(false).unwrap();
}

/// What is not bf16 is LibTorch's own product.
#[test]
fn others_are_left_alone() {
    let _turn = turn();
    tch::manual_seed(7);
    let [a, b] = [&[40, 64], &[64, 48]].map(|shape: &[i64; 2]| drawn(shape));
    for kind in [Kind::Float, Kind::Double] {
        let [a, b] = [&a, &b].map(|x| x.to_kind(kind));
        let before = a.mm(&b);
        ffi::widen_bf16_products(true).unwrap();
        let found = a.mm(&b);
        ffi::widen_bf16_products(false).unwrap();
        assert!(found.equal(&before), "{kind:?}");
    }
}
