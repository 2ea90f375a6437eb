//! Matrix products with a weight, and rows of a table.

use tch::{Kind, Tensor};

/// `y = W x`: `x` is `[…, in]`, the weight `[out, in]`, the result `[…, out]`.
pub fn linear(x: &Tensor, weight: &Tensor) -> Tensor {
    x.linear(weight, None::<&Tensor>)
}

/// The rows of `table_vd` at the ids `tokens_bt`, `[b, t, d]`. The gradient of a bf16 table, which is a sum over tokens, is summed
/// in f32.
pub fn embedding(table_vd: &Tensor, tokens_bt: &Tensor) -> Tensor {
    let rows = |table: &Tensor| Tensor::embedding(table, tokens_bt, -1, false, false);
    if table_vd.kind() == Kind::BFloat16 {
        rows(&table_vd.to_kind(Kind::Float)).to_kind(Kind::BFloat16)
    } else {
        rows(table_vd)
    }
}

/// The rows of `table_pd` from `offset` on, one for each position of `tokens_bt`, the same in every sequence: `[b, t, d]`.
pub fn positions(table_pd: &Tensor, tokens_bt: &Tensor, offset: i64) -> Tensor {
    let (num_sequences, num_tokens) = tokens_bt.size2().unwrap_or((0, 0));
    table_pd.narrow(0, offset, num_tokens).unsqueeze(0).expand([num_sequences, -1, -1], false)
}

/// `x` as consecutive runs of its last dimension, which `sizes` must cover: the shares of a product of several weights.
///
/// # Panics
/// If they do not.
pub fn split<const N: usize>(x: &Tensor, sizes: [i64; N]) -> [Tensor; N] {
    let parts = x.split_with_sizes(sizes, -1);
    parts.try_into().unwrap_or_else(|parts: Vec<Tensor>| panic!("{} parts for {N} sizes", parts.len()))
}
