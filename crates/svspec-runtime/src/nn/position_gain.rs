//! A number for each position of a sequence.

use tch::{Kind, Tensor};

/// `factor(t) · x_t` along the second axis, t counted from 0 in each sequence. Computed in f32 at least; of the kind of `x_bt`.
pub fn position_gain(x_bt: &Tensor, factor: impl Fn(f64) -> f64) -> Tensor {
    let sizes = x_bt.size();
    let num_tokens = sizes.get(1).copied().unwrap_or(1);
    let factors: Vec<f64> = (0..num_tokens).map(|position| factor(position as f64)).collect();
    let mut along_tokens = vec![1; sizes.len()];
    if let Some(tokens) = along_tokens.get_mut(1) {
        *tokens = num_tokens;
    }
    let kind = if x_bt.kind() == Kind::Double { Kind::Double } else { Kind::Float };
    let factors =
        Tensor::from_slice(&factors).to_kind(kind).to_device(x_bt.device()).view(along_tokens.as_slice());
    (x_bt * factors).to_kind(x_bt.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sequence_begins_at_0() {
        let x = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]).view([2, 3, 1]);
        let y = position_gain(&x, |position| 1.0 + position);
        assert_eq!(Vec::<f32>::try_from(y.reshape([-1])).expect("numbers"), [1.0, 4.0, 9.0, 4.0, 10.0, 18.0]);
        let narrow = position_gain(&x.view([2, 3, 1, 1]).to_kind(Kind::BFloat16), |_| 0.5);
        assert_eq!((narrow.kind(), narrow.size()), (Kind::BFloat16, vec![2, 3, 1, 1]));
    }
}
