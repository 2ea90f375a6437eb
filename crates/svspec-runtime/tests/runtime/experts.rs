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
