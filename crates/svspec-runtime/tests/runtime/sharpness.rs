//! The largest eigenvalue of the Hessian, against that of the whole matrix, which autograd makes row by row.

use crate::hand::{ADAMW, Hand};
use crate::tiny::Tiny;
use svspec_runtime::sharpness::sharpness;
use svspec_runtime::spec::{GroupRow, Init, Layers, ParamRow, Spec};
use svspec_runtime::{Model, Params};
use tch::{Device, Kind, Tensor};

/// A token's row of a table times another table: as many parameters as a whole Hessian allows.
struct Bigram {
    embed: Tensor,
    unembed: Tensor,
}

const VOCAB: i64 = 7;

impl Bigram {
    const fn table(path: &'static str) -> ParamRow {
        let init = Init::Normal(0.02);
        ParamRow { path, layers: Layers::Outside, shape: &[VOCAB, 3], group: 0, init }
    }
}

impl Model for Bigram {
    const SPEC: &'static Spec = &Spec {
        name: "bigram",
        vocab: VOCAB,
        params: &[Self::table("embed.weight"), Self::table("unembed.weight")],
        groups: &[GroupRow {
            name: "all",
            algorithm: ADAMW,
            lr: 1e-3,
            weight_decay: 0.0,
            clipped: true,
            rule: "",
        }],
        scales: &[],
        ..*Hand::<Tiny>::SPEC
    };

    fn new(params: &Params) -> Self {
        Self { embed: params.get("embed.weight"), unembed: params.get("unembed.weight") }
    }

    fn logits(&self, tokens_bt: &Tensor) -> Tensor {
        self.embed.index_select(0, &tokens_bt.flatten(0, -1)).matmul(&self.unembed.tr())
    }

    fn loss(&self, tokens_bt: &Tensor, targets_bt: &Tensor) -> Tensor {
        let logits = self.logits(tokens_bt);
        logits.log_softmax(-1, logits.kind()).nll_loss(&targets_bt.flatten(0, -1))
    }
}

/// Parameters whose entries are `spread` times those of a standard normal, in f64.
fn params(spread: f64) -> Params {
    let params = Params::init(Bigram::SPEC, 3, Device::Cpu).in_kind(Bigram::SPEC, Kind::Double);
    tch::no_grad(|| {
        for param in &params {
            let _ = param.tensor.shallow_clone().g_mul_scalar_(spread / 0.02);
        }
    });
    params
}

fn batch() -> (Tensor, Tensor) {
    let tokens = Tensor::from_slice(&[0_i64, 1, 2, 3, 4, 5, 6, 1, 3, 5]).view([2, 5]);
    let targets = Tensor::from_slice(&[1_i64, 2, 2, 4, 4, 6, 0, 3, 3, 0]).view([2, 5]);
    (tokens, targets)
}

/// All eigenvalues of the Hessian of the mean cross-entropy, in ascending order.
fn eigenvalues(params: &Params) -> Vec<f64> {
    let leaves: Vec<Tensor> = params.iter().map(|param| param.tensor.shallow_clone()).collect();
    let flat =
        |list: Vec<Tensor>| Tensor::cat(&list.iter().map(|tensor| tensor.reshape(-1)).collect::<Vec<_>>(), 0);
    let (tokens, targets) = batch();
    let loss = Bigram::new(params).loss(&tokens, &targets);
    let gradient = flat(Tensor::run_backward(&[loss], &leaves, true, true));
    let rows: Vec<Tensor> = (0..gradient.numel() as i64)
        .map(|index| flat(Tensor::run_backward(&[gradient.get(index)], &leaves, true, false)))
        .collect();
    Vec::try_from(Tensor::stack(&rows, 0).linalg_eigvalsh("L")).unwrap()
}

fn measured(params: &Params) -> f64 {
    let (tokens, targets) = batch();
    sharpness::<Bigram>(params, &tokens, &targets, 11, Device::Cpu)
}

#[test]
fn it_is_the_largest_eigenvalue() {
    for spread in [0.02, 0.3, 1.0, 3.0] {
        let params = params(spread);
        let (exact, found) = (*eigenvalues(&params).last().unwrap(), measured(&params));
        assert!((found - exact).abs() < 1e-3 * exact, "{spread}: {found} for {exact}");
    }
}

#[test]
fn a_negative_one_of_the_same_size_does_not_mislead_it() {
    let params = params(0.02);
    let all = eigenvalues(&params);
    let (least, largest) = (all[0], all[all.len() - 1]);
    // Where both tables are small the loss is a saddle: to every eigenvalue there is nearly its negative.
    assert!(least < 0.0 && -least > 0.95 * largest, "{least} and {largest}");
    assert!((measured(&params) - largest).abs() < 1e-3 * largest);
}

#[test]
fn it_leaves_parameters_as_they_were() {
    let params = Params::init(Bigram::SPEC, 3, Device::Cpu);
    let before: Vec<Tensor> = params.iter().map(|param| param.tensor.detach().copy()).collect();
    assert!(measured(&params).is_finite());
    for (param, before) in params.iter().zip(before) {
        assert_eq!(param.tensor, before, "{}", param.name);
    }
}
