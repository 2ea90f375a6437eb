//! A model of one mixture of experts, balanced by a loss and by its load, its batch in two halves.

use crate::hand::Size;
use crate::tiny::Tiny;
use svspec_runtime::losses::{Losses, SideLoss};
use svspec_runtime::spec::{Algorithm, GroupRow, Init, Layers, ParamRow, Spec, Training};
use svspec_runtime::{Model, Params, nn};
use tch::Tensor;

const WIDTH: i64 = 16;
const NUM_EXPERTS: i64 = 5;
/// How far a step moves a correction.
pub const RATE: f64 = 0.01;

pub struct Balanced {
    embed_vd: Tensor,
    router_ed: Tensor,
    correction_e: Tensor,
    map_eoi: Tensor,
    unembed_vd: Tensor,
}

const fn row(path: &'static str, shape: &'static [i64], group: usize, init: Init) -> ParamRow {
    ParamRow { path, layers: Layers::Outside, shape, group, init }
}

const TRAINED: usize = 0;
const UNTOUCHED: usize = 1;

impl Model for Balanced {
    const SPEC: &'static Spec = &Spec {
        name: "balanced",
        hash: "00112233445566778899aabbccddeeff",
        vocab: 256,
        context: 32,
        num_layers: 0,
        document_end: None,
        params: &[
            row("embed.weight", &[256, WIDTH], TRAINED, Init::Normal(0.5)),
            row("experts.router.weight", &[NUM_EXPERTS, WIDTH], TRAINED, Init::Normal(0.5)),
            row("experts.correction", &[NUM_EXPERTS], UNTOUCHED, Init::Constant(0.0)),
            row("experts.map.weight", &[NUM_EXPERTS, WIDTH, WIDTH], TRAINED, Init::Normal(0.1)),
            row("unembed.weight", &[256, WIDTH], TRAINED, Init::Normal(0.1)),
        ],
        groups: &[
            GroupRow {
                name: "all",
                algorithm: Algorithm::AdamW { betas: (0.9, 0.95), eps: 1e-8 },
                lr: 3e-3,
                weight_decay: 0.1,
                clipped: true,
                rule: "decay 0.1 on all",
            },
            GroupRow {
                name: "correction",
                algorithm: Algorithm::Load,
                lr: 0.0,
                weight_decay: 0.0,
                clipped: false,
                rule: "moved by the load of experts",
            },
        ],
        matrices: &[],
        units: &[],
        scales: &[],
        training: Training { steps: 12, micro_batch: 4, checkpoint_every: 12, ..Tiny::TRAINING },
        flops_per_token: 0.0,
    };

    fn new(params: &Params) -> Self {
        Self {
            embed_vd: params.get("embed.weight"),
            router_ed: params.get("experts.router.weight"),
            correction_e: params.get("experts.correction"),
            map_eoi: params.get("experts.map.weight"),
            unembed_vd: params.get("unembed.weight"),
        }
    }

    fn logits(&self, tokens_bt: &Tensor) -> Tensor {
        self.pass(tokens_bt).0
    }

    fn loss(&self, tokens_bt: &Tensor, targets_bt: &Tensor) -> Tensor {
        nn::cross_entropy(&self.logits(tokens_bt), targets_bt)
    }

    fn losses(&self, tokens_bt: &Tensor, targets_bt: &Tensor) -> Losses {
        let (logits_btv, router_bte, chosen) = self.pass(tokens_bt);
        let loads = vec![chosen.load(&self.correction_e, RATE)];
        let over = nn::Over::EachLayer;
        let value = nn::balance_loss(&[router_bte], &[chosen], nn::Scores::Sigmoid, over);
        let side = vec![SideLoss { name: "experts.balance", coefficient: 0.01, value }];
        Losses { cross_entropy: nn::cross_entropy(&logits_btv, targets_bt), side, loads }
    }
}

impl Balanced {
    fn pass(&self, tokens_bt: &Tensor) -> (Tensor, Tensor, nn::Choice) {
        let x_btd = nn::embedding(&self.embed_vd, tokens_bt);
        let router_bte = nn::linear(&x_btd, &self.router_ed);
        let scores_bte = nn::Scores::Sigmoid.of(&router_bte).detach() + &self.correction_e;
        let chosen = nn::Choice::largest(&scores_bte, 2);
        let mapped_rd = chosen.linear(&chosen.dispatch(&x_btd), &self.map_eoi);
        let y_btd = x_btd + chosen.combine(&mapped_rd, &chosen.sigmoid_normalized(&router_bte, 0.0));
        (nn::linear(&y_btd, &self.unembed_vd), router_bte, chosen)
    }
}
