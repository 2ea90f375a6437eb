//! The tanh approximation of gelu and its derivative, against the formula that is written out in f64.

use crate::operations::{largest_error, waves};
use svspec_runtime::nn;
use tch::{Device, Kind, Tensor};

/// As the paper has it.
fn written_out(x: &Tensor) -> Tensor {
    let inner = (x + x.pow_tensor_scalar(3) * 0.044_715) * (2.0 / std::f64::consts::PI).sqrt();
    x * (inner.tanh() + 1.0) * 0.5
}

/// What `gelu` gives, and the derivative of its product with `along`.
fn value_and_derivative(x: &Tensor, along: &Tensor, gelu: impl Fn(&Tensor) -> Tensor) -> [Tensor; 2] {
    let x = x.detach().set_requires_grad(true);
    let y = gelu(&x);
    let gradient = Tensor::run_backward(&[(&y * along).sum(y.kind())], &[&x], false, false);
    [y.detach(), gradient.into_iter().next().unwrap()]
}

/// From −12 to 12, in the layouts of a trained model's: whole, the share of a product, heads first, a count that fits no register, one
/// value for all, and none.
fn layouts() -> Vec<(&'static str, Tensor)> {
    let line = |count: i64| Tensor::linspace(-12.0, 12.0, count, (Kind::Double, Device::Cpu));
    let product_btp = line(2 * 7 * 90).view([2, 7, 90]);
    vec![
        ("whole", line(100_003)),
        ("many", line(1 << 20).view([64, 128, 128])),
        ("share", product_btp.narrow(-1, 30, 41)),
        ("heads first", product_btp.view([2, 7, 9, 10]).transpose(1, 2)),
        ("reversed", line(60).view([3, 4, 5]).permute([2, 1, 0])),
        ("short", line(3)),
        ("one for all", line(9).view([9, 1]).expand([9, 20], false)),
        ("none", line(0)),
    ]
}

#[test]
fn gelu_tanh_is_its_formula_in_every_layout() {
    for (name, x) in layouts() {
        for (kind, bits) in [(Kind::Double, 45), (Kind::Float, 21), (Kind::BFloat16, 8)] {
            let x = x.to_kind(kind);
            // What bf16 holds as well, so that rounding is that of what is tested.
            let along = waves(&x.size(), 0.7).to_kind(Kind::BFloat16).to_kind(kind);
            let found = value_and_derivative(&x, &along, nn::gelu_tanh);
            let (x, along) = (x.to_kind(Kind::Double), along.to_kind(Kind::Double));
            let expected = value_and_derivative(&x, &along, written_out);
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.kind(), kind);
                // Of a value its last bits, and of a small one those of 1.
                let size = expected.abs().clamp_min(1.0);
                let error =
                    largest_error(&((found.to_kind(Kind::Double) - expected) / size), &expected.zeros_like());
                assert!(error <= 0.5_f64.powi(bits), "{name}, {kind:?}: {error}");
            }
        }
    }
}

#[test]
fn what_is_no_number_and_what_is_infinite_stay_so() {
    for kind in [Kind::Float, Kind::BFloat16] {
        let x = Tensor::from_slice(&[f32::NAN, f32::INFINITY, 2e38, -2e38, f32::NEG_INFINITY, -0.0])
            .to_kind(kind);
        let read = |x: &Tensor| Vec::<f64>::try_from(x.to_kind(Kind::Double)).unwrap();
        let [y, gradient] = value_and_derivative(&x, &x.ones_like(), nn::gelu_tanh).map(|found| read(&found));
        assert!(y[0].is_nan() && gradient[0].is_nan());
        let same =
            |found: [f64; 3], expected: [f64; 3]| found.map(f64::to_bits) == expected.map(f64::to_bits);
        assert!(same([y[1], y[2], y[5]], [f64::INFINITY, read(&x)[2], -0.0]), "{y:?}");
        assert!(y[3].abs() < 1e-20 && y[4].abs() < 1e-20, "{y:?}");
        assert!(same([gradient[1], gradient[2], gradient[5]], [1.0, 1.0, 0.5]), "{gradient:?}");
        assert!(gradient[3].abs() < 1e-19 && gradient[4].abs() < 1e-19, "{gradient:?}");
    }
}
