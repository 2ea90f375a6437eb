//! Matrix products with a weight, and rows of a table.

use tch::Tensor;

/// `y = W x`: `x` is `[…, in]`, the weight `[out, in]`, the result `[…, out]`.
pub fn linear(x: &Tensor, weight: &Tensor) -> Tensor {
    x.linear(weight, None::<&Tensor>)
}

/// The rows of `table_vd` at the ids `tokens_bt`, `[b, t, d]`.
pub fn embedding(table_vd: &Tensor, tokens_bt: &Tensor) -> Tensor {
    Tensor::embedding(table_vd, tokens_bt, -1, false, false)
}
