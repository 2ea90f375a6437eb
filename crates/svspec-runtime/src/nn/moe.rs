//! A router's scores in, a choice of experts out, by which tokens are dispatched, multiplied and combined: no padding, and
//! no token is dropped.
//!
//! Shape suffixes besides those of `nn`: `e` experts, `c` chosen experts of a token, `r` pairs of a token and an expert,
//! sorted by expert, `i` and `o` channels in and out.

use tch::{Kind, Tensor};

/// Which experts each token is given to.
#[derive(Debug)]
pub struct Choice {
    /// Their ids.
    chosen_btc: Tensor,
    /// The pair, counted token by token, that stands in each row.
    pair_r: Tensor,
    /// The row in which each pair stands.
    row_p: Tensor,
    /// The rows of each expert, on the CPU.
    num_rows_e: Vec<i64>,
}

impl Choice {
    /// The `num_chosen` experts with the largest scores. On a GPU this waits until the numbers of tokens are known.
    ///
    /// # Panics
    /// If there are fewer experts.
    pub fn largest(scores_bte: &Tensor, num_chosen: i64) -> Self {
        let num_experts = scores_bte.size().last().copied().unwrap_or(0);
        let (_, chosen_btc) = scores_bte.detach().topk(num_chosen, -1, true, true);
        let expert_p = chosen_btc.flatten(0, -1);
        let pair_r = expert_p.argsort_stable(true, 0, false);
        let row_p = pair_r.argsort(0, false);
        let count_e = expert_p.bincount(None::<&Tensor>, num_experts);
        let num_rows_e = (0..num_experts).map({
            let count_e = count_e.to_device(tch::Device::Cpu);
            move |expert| count_e.int64_value(&[expert])
        });
        Self { num_rows_e: num_rows_e.collect(), chosen_btc, pair_r, row_p }
    }

    /// The weights of the chosen in the softmax over all experts, `[b, t, c]`.
    pub fn softmax(&self, logits_bte: &Tensor) -> Tensor {
        exact(logits_bte).softmax(-1, None::<Kind>).gather(-1, &self.chosen_btc, false)
    }

    /// The softmax over the chosen, `[b, t, c]`.
    pub fn softmax_of_chosen(&self, logits_bte: &Tensor) -> Tensor {
        exact(logits_bte).gather(-1, &self.chosen_btc, false).softmax(-1, None::<Kind>)
    }

    /// The sigmoids of the chosen, `[b, t, c]`.
    pub fn sigmoid(&self, logits_bte: &Tensor) -> Tensor {
        exact(logits_bte).gather(-1, &self.chosen_btc, false).sigmoid()
    }

    /// The same, divided by their sum.
    pub fn sigmoid_normalized(&self, logits_bte: &Tensor) -> Tensor {
        let scores_btc = self.sigmoid(logits_bte);
        let sum_bt1 = scores_btc.sum_dim_intlist(-1, true, None::<Kind>);
        scores_btc / sum_bt1
    }

    /// Each token once for each of its experts, sorted by expert, `[r, d]`.
    pub fn dispatch(&self, x_btd: &Tensor) -> Tensor {
        // Rows are picked from copies, each once: so the gradient is a sum of fixed order on every device.
        let num_chosen = self.num_chosen();
        let x_btcd = x_btd.unsqueeze(2).expand([-1, -1, num_chosen, -1], false);
        x_btcd.flatten(0, 2).index_select(0, &self.pair_r)
    }

    /// Each row by the matrix of its expert, `[r, o]`.
    pub fn linear(&self, x_ri: &Tensor, weight_eoi: &Tensor) -> Tensor {
        let rows = x_ri.split_with_sizes(&self.num_rows_e, 0);
        let products: Vec<Tensor> = rows
            .iter()
            .zip(weight_eoi.unbind(0))
            .filter(|(x_ri, _)| x_ri.size().first().is_some_and(|&num_rows| num_rows > 0))
            .map(|(x_ri, weight_oi)| x_ri.linear(&weight_oi, None::<&Tensor>))
            .collect();
        Tensor::cat(&products, 0)
    }

    /// The sum of what a token's experts made of it, by their weights, `[b, t, d]`.
    pub fn combine(&self, x_rd: &Tensor, weights_btc: &Tensor) -> Tensor {
        let x_pd = x_rd.index_select(0, &self.row_p);
        let x_btcd = x_pd.unflatten(0, self.chosen_btc.size());
        (x_btcd * weights_btc.unsqueeze(-1)).sum_dim_intlist(2, false, None::<Kind>)
    }

    fn num_chosen(&self) -> i64 {
        self.chosen_btc.size().last().copied().unwrap_or(0)
    }
}

/// At least f32: weights decide between experts.
fn exact(logits: &Tensor) -> Tensor {
    if logits.kind() == Kind::Double { logits.shallow_clone() } else { logits.to_kind(Kind::Float) }
}
