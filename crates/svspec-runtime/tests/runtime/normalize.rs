//! RMS normalisation and its derivative against their formulas, for the layouts, types and thread counts that training has.

use crate::operations::{largest_error, waves};
use svspec_runtime::nn;
use svspec_runtime::precision;
use svspec_runtime::spec::Precision;
use tch::{Device, Kind, Tensor};

const EPS: f64 = 1e-3;

fn last_axes(num_axes: usize) -> Vec<i64> {
    (1..=num_axes as i64).map(|axis| -axis).collect()
}

/// `x / sqrt(mean(x²) + eps)`, operation by operation.
fn written_out(x: &Tensor, num_axes: usize) -> Tensor {
    let mean_square = x.square().mean_dim(last_axes(num_axes), true, x.kind());
    x / (mean_square + EPS).sqrt()
}

/// The axes in reverse, all of them and all but the last: layouts of gradients whose rows lie apart and together.
fn orders(num_axes: i64) -> [Vec<i64>; 2] {
    let leading = (0..num_axes - 1).rev();
    [(0..num_axes).rev().collect(), leading.chain([num_axes - 1]).collect()]
}

/// What `normalize` gives, and the derivative by `x` of its product with fixed weights that lie in memory in this order of axes.
fn value_and_derivative(
    x: &Tensor,
    order: &[i64],
    normalize: impl Fn(&Tensor) -> Tensor,
) -> (Tensor, Tensor) {
    let x = x.detach().set_requires_grad(true);
    let y = normalize(&x);
    let sizes: Vec<i64> = order.iter().map(|&axis| y.size()[axis as usize]).collect();
    let weights = waves(&sizes, 0.7).permute(order).to_kind(y.kind());
    (&y * weights).sum(y.kind()).backward();
    (y.detach(), x.grad())
}

/// Inputs with the layouts of a trained model's: whole, the middle share of a product, that share per head, each head's tokens
/// together, reversed axes, one row for all, a single row, rows shorter and longer than any register, and no rows.
fn layouts() -> Vec<(&'static str, Tensor)> {
    let product_btp = waves(&[3, 5, 120], 0.1);
    let share_btd = product_btp.narrow(-1, 48, 36);
    vec![
        ("whole", waves(&[2, 7, 344], 0.2)),
        ("share", share_btd.shallow_clone()),
        ("share per head", share_btd.view([3, 5, 4, 9])),
        ("heads first", share_btd.view([3, 5, 4, 9]).transpose(1, 2)),
        ("reversed", waves(&[6, 5, 4], 0.3).permute([2, 1, 0])),
        ("one row for all", waves(&[1, 1, 24], 0.4).expand([4, 3, 24], false)),
        ("one axis", waves(&[17], 0.5)),
        ("short rows", waves(&[2, 3, 1, 1], 0.6)),
        ("many rows", waves(&[40, 64, 4, 32], 0.9)),
        ("no rows", waves(&[0, 3, 8], 0.0)),
    ]
}

#[test]
fn value_and_derivative_follow_the_formula_in_every_layout() {
    for (name, x) in layouts() {
        for num_axes in 1..=x.dim().min(2) {
            for order in orders(x.dim() as i64) {
                let (expected, expected_gradient) =
                    value_and_derivative(&x, &order, |x| written_out(x, num_axes));
                for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 4e-6)] {
                    let (y, gradient) =
                        value_and_derivative(&x.to_kind(kind), &order, |x| nn::rms_norm(x, num_axes, EPS));
                    assert_eq!((y.kind(), gradient.kind()), (kind, kind));
                    for (found, expected) in [(&y, &expected), (&gradient, &expected_gradient)] {
                        let error = largest_error(found, expected);
                        assert!(error < tolerance, "{name}, {num_axes} axes, {kind:?}: off by {error:e}");
                    }
                }
            }
        }
    }
}

#[test]
fn derivative_is_that_of_differences() {
    let x = waves(&[2, 3, 7], 0.4);
    let weights = waves(&[2, 3, 7], 1.9);
    let total = |x: &Tensor| (nn::rms_norm(x, 2, EPS) * &weights).sum(Kind::Double).double_value(&[]);
    let traced = x.copy().set_requires_grad(true);
    (nn::rms_norm(&traced, 2, EPS) * &weights).sum(Kind::Double).backward();
    let step = 1e-5;
    for index in 0..x.numel() as i64 {
        let moved = |by: f64| {
            let moved = x.copy();
            let _ = moved.view(-1).get(index).g_add_scalar_(by);
            total(&moved)
        };
        let slope = (moved(step) - moved(-step)) / (2.0 * step);
        let found = traced.grad().view(-1).double_value(&[index]);
        assert!((found - slope).abs() < 1e-8, "at {index}: {found} and {slope}");
    }
}

#[test]
fn rows_of_zeros_stay_zeros_and_pass_the_gradient_times_the_largest_factor() {
    let x = Tensor::zeros([2, 3, 8], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let y = nn::rms_norm(&x, 1, 1e-2);
    y.sum(Kind::Float).backward();
    assert!(y.equal(&x));
    assert!(largest_error(&x.grad(), &Tensor::full([2, 3, 8], 10.0, (Kind::Double, Device::Cpu))) < 1e-5);
}

#[test]
fn bf16_comes_out_as_f32_and_its_gradient_as_bf16() {
    let x = waves(&[2, 5, 4, 9], 0.2).to_kind(Kind::BFloat16);
    let [order, _] = orders(4);
    let run = || value_and_derivative(&x, &order, |x| nn::rms_norm(x, 1, EPS));
    let under_autocast = precision::run(Precision::Bf16, Device::Cpu, run).unwrap();
    for (y, gradient) in [run(), under_autocast] {
        let (expected, expected_gradient) =
            value_and_derivative(&x.to_kind(Kind::Double), &order, |x| written_out(x, 1));
        assert_eq!((y.kind(), gradient.kind()), (Kind::Float, Kind::BFloat16));
        // The statistic and the output are f32's; the gradient is rounded to eight bits at the end.
        assert!(largest_error(&y, &expected) < 1e-6);
        assert!(
            largest_error(&gradient, &expected_gradient)
                < expected_gradient.abs().max().double_value(&[]) / 256.0
        );
    }
}

#[test]
fn rows_side_by_side_have_the_bits_of_rows_in_one_thread() {
    let product = waves(&[16, 128, 384], 0.3).to_kind(Kind::Float);
    let q_bthk = product.narrow(-1, 128, 128).view([16, 128, 4, 32]);
    let weights = waves(&[16, 128, 4, 32], 1.1).to_kind(Kind::Float);
    let run = |x: &Tensor, weights: &Tensor| {
        let x = x.detach().set_requires_grad(true);
        let y = nn::rms_norm(&x, 1, EPS);
        (&y * weights).sum(Kind::Float).backward();
        (y.detach(), x.grad())
    };
    let (y, gradient) = run(&q_bthk, &weights);
    // One sequence is too little work for a second thread.
    for sequence in 0..16 {
        let (y_thk, gradient_thk) = run(&q_bthk.get(sequence), &weights.get(sequence));
        assert!(y_thk.equal(&y.get(sequence)) && gradient_thk.equal(&gradient.get(sequence)));
    }
}

/// Under autocast what products read is bf16, its gradient too, and both are rounded once; elsewhere nothing is rounded.
#[test]
fn for_products_it_is_of_their_type() {
    for (name, x) in layouts() {
        let [order, _] = orders(x.dim() as i64);
        let run = |x: &Tensor| value_and_derivative(x, &order, |x| nn::rms_norm_for_products(x, 1, EPS));
        let (expected, expected_gradient) = value_and_derivative(&x, &order, |x| written_out(x, 1));
        for (kind, rounding) in [(Kind::Float, 1e-2), (Kind::BFloat16, 3e-2)] {
            let given = x.to_kind(kind);
            let (y, gradient) = precision::run(Precision::Bf16, Device::Cpu, || run(&given)).unwrap();
            assert_eq!((y.kind(), gradient.kind()), (Kind::BFloat16, kind));
            let normalized = nn::rms_norm(&given, 1, EPS);
            assert!(y.equal(&normalized.to_kind(Kind::BFloat16)), "{name}: rounded to the nearest");
            for (found, expected) in [(&y, &expected), (&gradient, &expected_gradient)] {
                let error = largest_error(&found.to_kind(Kind::Double), expected);
                assert!(error < rounding, "{name}, {kind:?}: off by {error:e}");
            }
        }
        let (plain, _) = run(&x.to_kind(Kind::Float));
        assert!(plain.kind() == Kind::Float && plain.equal(&nn::rms_norm(&x.to_kind(Kind::Float), 1, EPS)));
    }
    let odd = Tensor::from_slice(&[f32::NAN, 1.0, 2.0, 3.0, 4.0]);
    let y = precision::run(Precision::Bf16, Device::Cpu, || nn::rms_norm_for_products(&odd, 1, EPS)).unwrap();
    assert!(y.isnan().all().int64_value(&[]) == 1);
}

#[test]
#[should_panic(expected = "rms_norm over 3 of 2 dimensions")]
fn more_axes_than_dimensions_are_refused() {
    let _ = nn::rms_norm(&waves(&[2, 3], 0.0), 3, EPS);
}
