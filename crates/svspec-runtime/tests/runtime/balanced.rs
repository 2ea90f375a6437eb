//! A model of one mixture of experts, balanced by losses and by its load: what a step moves, and that a resumed run ends in the
//! same bits.

use crate::events;
use crate::hand::Size;
use crate::runs::{Folder, options, resumption, rows, state_bytes, turn};
use crate::tiny::Tiny;
use svspec_runtime::losses::{Load, Losses, SideLoss};
use svspec_runtime::run;
use svspec_runtime::spec::{Algorithm, GroupRow, Init, Layers, ParamRow, Spec, Training};
use svspec_runtime::train::Ending;
use svspec_runtime::{Model, Params, nn};
use tch::{Device, Kind, Tensor};

const WIDTH: i64 = 16;
const NUM_EXPERTS: i64 = 5;
const RATE: f64 = 0.01;

struct Balanced {
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

#[test]
fn a_resumed_run_ends_in_the_same_bits() {
    let _turn = turn();
    let folder = Folder::new("balanced");
    let (corpus, whole, broken) = (folder.corpus(), folder.join("whole"), folder.join("broken"));
    run::run::<Balanced>(&options(&corpus, &whole), &|_| false).unwrap();
    let ending = run::run::<Balanced>(&options(&corpus, &broken), &|step| step == 5).unwrap();
    assert_eq!(ending, Ending::Interrupted { step: 5 });
    run::run::<Balanced>(&resumption(&broken), &|_| false).unwrap();
    assert!(state_bytes(&broken) == state_bytes(&whole));
    assert_eq!(rows(&broken.join("metrics.jsonl")), rows(&whole.join("metrics.jsonl")));
    let curves = events::scalars(&broken);
    assert_eq!(curves, events::expected(&broken));
    let balance = curves.keys().filter(|(_, tag)| tag == "side/experts.balance");
    assert_eq!(balance.map(|(step, _)| *step).collect::<Vec<u64>>(), (1..=12).collect::<Vec<u64>>());
}

#[test]
fn the_load_moves_the_correction_and_the_optimizer_does_not() {
    let _turn = turn();
    let folder = Folder::new("corrected");
    let out = folder.join("run");
    run::run::<Balanced>(&options(&folder.corpus(), &out), &|_| false).unwrap();
    let file = out.join("checkpoint/model.safetensors");
    let tensors = svspec_runtime::tensor_file::read(&file).unwrap().tensors;
    let moved = &tensors["experts.correction"] / RATE;
    // Twelve steps of one rate, up or down, but for a load that is just the mean.
    let off = (&moved - moved.round()).abs().max().double_value(&[]);
    assert!(off < 1e-4, "{moved}");
    let largest = moved.abs().max().double_value(&[]).round();
    assert!((1.0..=12.0).contains(&largest), "{moved}");
    for row in rows(&out.join("metrics.jsonl")).iter().filter(|row| row.get("loss").is_some()) {
        assert!(row["side"]["experts.balance"].as_f64().unwrap() >= 1.0, "{row}");
    }
}

#[test]
fn a_step_raises_the_correction_of_experts_with_less_than_their_share() {
    let correction_e = Tensor::from_slice(&[0.5_f32, 0.0, -0.25, 1.0]);
    let count_e = Tensor::from_slice(&[7_i64, 1, 4, 4]);
    Load { correction_e: correction_e.shallow_clone(), count_e, rate: 0.125 }.correct();
    assert_eq!(Vec::<f32>::try_from(correction_e).unwrap(), [0.375, 0.125, -0.25, 1.0]);
}

#[test]
fn losses_of_micro_batches_are_averaged_and_their_loads_added() {
    let of = |cross_entropy: f64, balance: f64, counts: [i64; 2]| Losses {
        cross_entropy: Tensor::from(cross_entropy),
        side: vec![SideLoss { name: "experts.balance", coefficient: 0.5, value: Tensor::from(balance) }],
        loads: vec![Load {
            correction_e: Tensor::zeros([2], (Kind::Float, Device::Cpu)),
            count_e: Tensor::from_slice(&counts),
            rate: 1.0,
        }],
    };
    let (first, second) = (of(3.0, 4.0, [1, 2]), of(5.0, 2.0, [3, 0]));
    assert!((first.total().double_value(&[]) - 5.0).abs() < 1e-12);
    let both = Losses::plain(Tensor::from(0.0)).and(&first, 2).and(&second, 2);
    assert!((both.cross_entropy.double_value(&[]) - 4.0).abs() < 1e-12);
    assert!((both.side[0].value.double_value(&[]) - 3.0).abs() < 1e-12);
    assert_eq!(Vec::<i64>::try_from(&both.loads[0].count_e).unwrap(), [4, 2]);
    assert_eq!(Vec::<i64>::try_from(&first.loads[0].count_e).unwrap(), [1, 2]);
}
