//! Mixtures of experts against a loop over tokens and experts, in f64.

use crate::operations::{largest_error, waves};
use svspec_runtime::nn;
use tch::{Kind, Tensor};

const WIDTH: i64 = 3;
const HIDDEN: i64 = 5;
const NUM_EXPERTS: i64 = 4;

/// Logits by which the last expert is never among the two chosen.
fn logits_bte() -> Tensor {
    let logits_bte = waves(&[2, 3, NUM_EXPERTS], 0.4);
    let _ = logits_bte.narrow(-1, NUM_EXPERTS - 1, 1).fill_(-100.0);
    logits_bte
}

fn mixture(x_btd: &Tensor, logits_bte: &Tensor, up_efd: &Tensor, down_edf: &Tensor) -> Tensor {
    let chosen = nn::Choice::largest(logits_bte, 2);
    let weights_btc = chosen.softmax_of_chosen(logits_bte);
    let hidden_rf = nn::silu(&chosen.linear(&chosen.dispatch(x_btd), up_efd));
    chosen.combine(&chosen.linear(&hidden_rf, down_edf), &weights_btc)
}

/// Every expert on every token; those that are not chosen weigh nothing.
fn written_out(x_btd: &Tensor, logits_bte: &Tensor, up_efd: &Tensor, down_edf: &Tensor) -> Tensor {
    let second_bt1 = logits_bte.topk(2, -1, true, true).0.narrow(-1, 1, 1);
    let weights_bte = logits_bte
        .masked_fill(&logits_bte.lt_tensor(&second_bt1), f64::NEG_INFINITY)
        .softmax(-1, None::<Kind>);
    let by_expert = (0..NUM_EXPERTS).map(|expert| {
        let up = x_btd.linear(&up_efd.get(expert), None::<&Tensor>).silu();
        up.linear(&down_edf.get(expert), None::<&Tensor>) * weights_bte.narrow(-1, expert, 1)
    });
    by_expert.reduce(|sum, term| sum + term).unwrap()
}

#[test]
fn value_and_gradients_are_those_of_every_expert_on_every_token() {
    let inputs = || {
        [
            waves(&[2, 3, WIDTH], 0.1),
            logits_bte(),
            waves(&[NUM_EXPERTS, HIDDEN, WIDTH], 0.2),
            waves(&[NUM_EXPERTS, WIDTH, HIDDEN], 0.3),
        ]
        .map(|tensor| tensor.set_requires_grad(true))
    };
    let run = |f: fn(&Tensor, &Tensor, &Tensor, &Tensor) -> Tensor| {
        let [x, logits, up, down] = inputs();
        let y = f(&x, &logits, &up, &down);
        let loss = (&y * waves(&[2, 3, WIDTH], 0.9)).sum(None::<Kind>);
        let gradients = Tensor::run_backward(&[loss], &[&x, &logits, &up, &down], false, false);
        std::iter::once(y.detach()).chain(gradients).collect::<Vec<Tensor>>()
    };
    let (found, expected) = (run(mixture), run(written_out));
    assert_eq!(found.len(), 5);
    for (found, expected) in found.iter().zip(&expected) {
        assert!(expected.abs().max().double_value(&[]) > 1e-3);
        assert!(largest_error(found, expected) < 1e-13);
    }
    // The expert that got no token has a gradient, of zeros.
    for of_weight in found.iter().skip(3) {
        assert!(
            of_weight
                .get(NUM_EXPERTS - 1)
                .eq_tensor(&of_weight.get(NUM_EXPERTS - 1).zeros_like())
                .all()
                .int64_value(&[])
                == 1
        );
    }
}

/// One product for all experts and one for each, forward and backward; the sizes are such that LibTorch has a kernel.
#[test]
fn a_grouped_product_is_that_of_each_expert() {
    let logits_bte = logits_bte().to_kind(Kind::Float);
    let chosen = nn::Choice::largest(&logits_bte, 2);
    let run = |f: &dyn Fn(&Tensor, &Tensor) -> Tensor| {
        let x_ri = waves(&[12, 8], 0.1).to_kind(Kind::Float).set_requires_grad(true);
        let weight_eoi = waves(&[NUM_EXPERTS, 16, 8], 0.2).to_kind(Kind::Float).set_requires_grad(true);
        let y_ro = f(&x_ri, &weight_eoi);
        let loss = (&y_ro * waves(&[12, 16], 0.9)).sum(Kind::Float);
        let gradients = Tensor::run_backward(&[loss], &[&x_ri, &weight_eoi], false, false);
        std::iter::once(y_ro.detach()).chain(gradients).collect::<Vec<Tensor>>()
    };
    let x_ri = waves(&[12, 8], 0.1).to_kind(Kind::Float);
    let weight_eoi = waves(&[NUM_EXPERTS, 16, 8], 0.2).to_kind(Kind::Float);
    assert!(chosen.has_grouped_product(&x_ri, &weight_eoi), "this would compare the loop with itself");
    let grouped = run(&|x, weight| chosen.linear(x, weight));
    let by_expert = run(&|x, weight| chosen.linear_by_expert(x, weight));
    for (grouped, by_expert) in grouped.iter().zip(&by_expert) {
        assert!(largest_error(grouped, by_expert) < 1e-5);
    }
}

#[test]
fn vectors_of_experts_meet_the_rows_that_are_theirs() {
    let chosen = nn::Choice::largest(&logits_bte(), 2);
    let ids = Vec::<i64>::try_from(chosen.ids().flatten(0, -1)).unwrap();
    let ones_ri = Tensor::ones([12, 1], (Kind::Double, tch::Device::Cpu));
    let vectors_ei = Tensor::from_slice(&[10.0, 20.0, 30.0, 40.0]).unsqueeze(-1);
    // Summed over its two experts, with weights of one, a token gets what both have.
    let weights_btc = Tensor::ones([2, 3, 2], (Kind::Double, tch::Device::Cpu));
    let sums =
        |rows: &Tensor| Vec::<f64>::try_from(chosen.combine(rows, &weights_btc).flatten(0, -1)).unwrap();
    let expected: Vec<f64> = ids.chunks(2).map(|pair| 10.0 * (2 + pair[0] + pair[1]) as f64).collect();
    assert_eq!(sums(&chosen.scale(&ones_ri, &vectors_ei)), expected);
    let shifted: Vec<f64> = expected.iter().map(|sum| sum + 2.0).collect();
    assert_eq!(sums(&chosen.bias(&ones_ri, &vectors_ei)), shifted);
}
