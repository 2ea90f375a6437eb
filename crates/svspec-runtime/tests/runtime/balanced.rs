//! A model of one mixture of experts, balanced by losses and by its load: what a step moves, and that a resumed run ends in the
//! same bits.

use crate::events;
use crate::runs::{Folder, options, resumption, rows, state_bytes, turn};
use crate::tiny_experts::{Balanced, RATE};
use svspec_runtime::losses::{Load, Losses, SideLoss};
use svspec_runtime::run;
use svspec_runtime::train::Ending;
use tch::{Device, Kind, Tensor};

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
    Load { correction_e: correction_e.shallow_clone(), count_e, rate: 0.125 }
        .correct(&svspec_runtime::health::no_skip(Device::Cpu));
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
