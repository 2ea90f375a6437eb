//! What a value was some tokens before.

use tch::Tensor;

/// `y_t = x_{t − steps}` along the second axis, and 0 for the first `steps` tokens.
pub fn delay(x_bt: &Tensor, steps: i64) -> Tensor {
    let sizes = x_bt.size();
    let steps = steps.min(sizes.get(1).copied().unwrap_or(0));
    // Before and after each axis, the last one first.
    let mut pads = vec![0; 2 * sizes.len().saturating_sub(2)];
    pads.extend([steps, -steps]);
    x_bt.constant_pad_nd(pads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tokens_are_zeros_and_the_last_fall_away() {
        let x = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]).view([2, 3, 1]);
        let entries = |y: &Tensor| Vec::<f32>::try_from(y.reshape([-1])).expect("numbers");
        assert_eq!(entries(&delay(&x, 1)), [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        assert_eq!(entries(&delay(&x.view([2, 3, 1, 1]), 2)), [0.0, 0.0, 1.0, 0.0, 0.0, 4.0]);
        assert_eq!(entries(&delay(&x, 7)), [0.0; 6]);
    }
}
