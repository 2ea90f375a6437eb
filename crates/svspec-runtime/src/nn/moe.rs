//! A router's scores in, a choice of experts out, by which tokens are dispatched, multiplied and combined: no padding, and
//! no token is dropped.
//!
//! Shape suffixes besides those of `nn`: `e` experts, `c` chosen experts of a token, `r` pairs of a token and an expert,
//! sorted by expert, `p` the same token by token, `i` and `o` channels in and out.

use crate::ffi;
use crate::losses::Load;
use std::cell::OnceCell;
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
    /// The expert of each row.
    expert_r: Tensor,
    /// How many rows each expert has.
    count_e: Tensor,
    /// The row after the last of each expert, i32.
    end_e: Tensor,
    /// The rows of each expert on the CPU, once someone has asked.
    num_rows_e: OnceCell<Vec<i64>>,
}

/// What a router's logits become: one score for each expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scores {
    /// The softmax over all experts.
    Softmax,
    /// The sigmoid of each.
    Sigmoid,
}

/// Groups of consecutive experts, of which a token may use some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// How many groups of equal size the experts form.
    pub count: i64,
    /// How many a token may choose from: those with the largest scores.
    pub num_chosen: i64,
    /// The score of a group is the sum of so many of its largest.
    pub num_summed: i64,
}

impl Scores {
    /// At least in f32.
    pub fn of(self, logits_bte: &Tensor) -> Tensor {
        match self {
            Self::Softmax => exact(logits_bte).softmax(-1, None::<Kind>),
            Self::Sigmoid => exact(logits_bte).sigmoid(),
        }
    }
}

/// The scores, −∞ where an expert's group is not among the best.
pub fn within_groups(scores_bte: &Tensor, groups: Groups) -> Tensor {
    let best = |scores: &Tensor, count: i64| scores.topk(count, -1, true, true);
    let scores_btgn = scores_bte.unflatten(-1, [groups.count, -1]);
    let scores_btg = best(&scores_btgn, groups.num_summed).0.sum_dim_intlist(-1, false, None::<Kind>);
    let closed_btg = scores_btg.ones_like().to_kind(Kind::Bool);
    let closed_btg = closed_btg.scatter_value(-1, &best(&scores_btg, groups.num_chosen).1, 0);
    scores_btgn.masked_fill(&closed_btg.unsqueeze(-1), f64::NEG_INFINITY).flatten(-2, -1)
}

impl Choice {
    /// The `num_chosen` experts with the largest scores.
    ///
    /// # Panics
    /// If there are fewer experts.
    pub fn largest(scores_bte: &Tensor, num_chosen: i64) -> Self {
        let num_experts = scores_bte.size().last().copied().unwrap_or(0);
        let (_, chosen_btc) = scores_bte.detach().topk(num_chosen, -1, true, true);
        let expert_p = chosen_btc.flatten(0, -1);
        let pair_r = expert_p.argsort_stable(true, 0, false);
        let row_p = pair_r.argsort(0, false);
        let expert_r = expert_p.index_select(0, &pair_r);
        // By comparison: a count of ids would wait for a GPU to know how many there are.
        let ids_e = Tensor::arange(num_experts, (Kind::Int64, scores_bte.device()));
        let end_e = ids_e.searchsorted(&expert_r, false, true, "right", None::<&Tensor>);
        let count_e =
            end_e.diff(1, 0, Some(&end_e.new_zeros([1], (Kind::Int64, end_e.device()))), None::<&Tensor>);
        Self {
            chosen_btc,
            pair_r,
            row_p,
            expert_r,
            count_e,
            end_e: end_e.to_kind(Kind::Int),
            num_rows_e: OnceCell::new(),
        }
    }

    /// The weights of the chosen in the softmax over all experts, `[b, t, c]`.
    pub fn softmax(&self, logits_bte: &Tensor) -> Tensor {
        Scores::Softmax.of(logits_bte).gather(-1, &self.chosen_btc, false)
    }

    /// The same, divided by their sum and `eps`.
    pub fn softmax_normalized(&self, logits_bte: &Tensor, eps: f64) -> Tensor {
        normalized(self.softmax(logits_bte), eps)
    }

    /// The softmax over the chosen, `[b, t, c]`.
    pub fn softmax_of_chosen(&self, logits_bte: &Tensor) -> Tensor {
        exact(logits_bte).gather(-1, &self.chosen_btc, false).softmax(-1, None::<Kind>)
    }

    /// The sigmoids of the chosen, `[b, t, c]`.
    pub fn sigmoid(&self, logits_bte: &Tensor) -> Tensor {
        exact(logits_bte).gather(-1, &self.chosen_btc, false).sigmoid()
    }

    /// The same, divided by their sum and `eps`.
    pub fn sigmoid_normalized(&self, logits_bte: &Tensor, eps: f64) -> Tensor {
        normalized(self.sigmoid(logits_bte), eps)
    }

    /// Each token once for each of its experts, sorted by expert, `[r, d]`.
    pub fn dispatch(&self, x_btd: &Tensor) -> Tensor {
        // Rows are picked from copies, each once: so the gradient is a sum of fixed order on every device.
        let num_chosen = self.num_chosen();
        let x_btcd = x_btd.unsqueeze(2).expand([-1, -1, num_chosen, -1], false);
        x_btcd.flatten(0, 2).index_select(0, &self.pair_r)
    }

    /// Each row by the matrix of its expert, `[r, o]`: in one product where LibTorch has a kernel for these kinds and sizes, else
    /// expert by expert, for which a GPU is waited for.
    ///
    /// # Panics
    /// If LibTorch refuses.
    pub fn linear(&self, x_ri: &Tensor, weight_eoi: &Tensor) -> Tensor {
        match ffi::grouped_product(x_ri, weight_eoi, &self.end_e) {
            Ok(Some(product)) => product,
            Ok(None) => self.linear_by_expert(x_ri, weight_eoi),
            Err(error) => panic!("a product by the matrices of experts: {error}"),
        }
    }

    /// Whether one product does for all experts.
    pub fn has_grouped_product(&self, x_ri: &Tensor, weight_eoi: &Tensor) -> bool {
        matches!(ffi::grouped_product(x_ri, weight_eoi, &self.end_e), Ok(Some(_)))
    }

    /// The same, expert by expert.
    pub fn linear_by_expert(&self, x_ri: &Tensor, weight_eoi: &Tensor) -> Tensor {
        let rows = x_ri.split_with_sizes(self.num_rows(), 0);
        let products: Vec<Tensor> = rows
            .iter()
            .zip(weight_eoi.unbind(0))
            .filter(|(x_ri, _)| x_ri.size().first().is_some_and(|&num_rows| num_rows > 0))
            .map(|(x_ri, weight_oi)| x_ri.linear(&weight_oi, None::<&Tensor>))
            .collect();
        Tensor::cat(&products, 0)
    }

    /// Each row plus the vector of its expert, `[r, o]`.
    pub fn bias(&self, x_ro: &Tensor, bias_eo: &Tensor) -> Tensor {
        x_ro + bias_eo.index_select(0, &self.expert_r)
    }

    /// Each row times the vector of its expert, `[r, i]`.
    pub fn scale(&self, x_ri: &Tensor, gamma_ei: &Tensor) -> Tensor {
        x_ri * gamma_ei.index_select(0, &self.expert_r)
    }

    /// Each row times the weight of its expert for its token, `[r, d]`.
    pub fn weigh(&self, x_rd: &Tensor, weights_btc: &Tensor) -> Tensor {
        x_rd * weights_btc.flatten(0, -1).index_select(0, &self.pair_r).unsqueeze(-1)
    }

    /// The sum of what a token's experts made of it, `[b, t, d]`.
    pub fn sum(&self, x_rd: &Tensor) -> Tensor {
        let x_pd = exact(x_rd).index_select(0, &self.row_p);
        x_pd.unflatten(0, self.chosen_btc.size()).sum_dim_intlist(2, false, None::<Kind>)
    }

    /// The sum of what a token's experts made of it, by their weights, `[b, t, d]`.
    pub fn combine(&self, x_rd: &Tensor, weights_btc: &Tensor) -> Tensor {
        let x_pd = x_rd.index_select(0, &self.row_p);
        let x_btcd = x_pd.unflatten(0, self.chosen_btc.size());
        (x_btcd * weights_btc.unsqueeze(-1)).sum_dim_intlist(2, false, None::<Kind>)
    }

    /// What the load says of the vector `correction_e`, by which the choice was corrected.
    pub fn load(&self, correction_e: &Tensor, rate: f64) -> Load {
        Load { correction_e: correction_e.shallow_clone(), count_e: self.count_e.shallow_clone(), rate }
    }

    /// The ids of the chosen, `[b, t, c]`.
    pub fn ids(&self) -> &Tensor {
        &self.chosen_btc
    }

    fn num_rows(&self) -> &[i64] {
        self.num_rows_e.get_or_init(|| Vec::<i64>::try_from(&self.count_e).unwrap_or_default())
    }

    fn num_chosen(&self) -> i64 {
        self.chosen_btc.size().last().copied().unwrap_or(0)
    }
}

fn normalized(weights_btc: Tensor, eps: f64) -> Tensor {
    let sum_bt1 = weights_btc.sum_dim_intlist(-1, true, None::<Kind>) + eps;
    weights_btc / sum_bt1
}

/// At least f32: weights decide between experts.
pub(super) fn exact(logits: &Tensor) -> Tensor {
    if logits.kind() == Kind::Double { logits.shallow_clone() } else { logits.to_kind(Kind::Float) }
}
