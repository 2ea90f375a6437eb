//! What a run costs beside its steps, on a CPU, in milliseconds: how long a checkpoint makes training wait, how long until it is on
//! the disk, and how long the statistics of all scale vectors take; the medians of so many.
//!
//! `upkeep WIDTH HIDDEN LAYERS VOCAB TIMES FOLDER`, of a Llama of that shape with the unified strategy's vectors; checkpoints are
//! written to FOLDER. `cargo xtask bench` prints it.
#![expect(clippy::print_stdout, reason = "the figures")]

#[path = "shared/training.rs"]
mod training;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;
use svspec_runtime::checkpoint::{Keep, Record, Snapshot, State, Writer};
use svspec_runtime::corpus::Fingerprint;
use svspec_runtime::health::Guard;
use svspec_runtime::schedule::Factors;
use svspec_runtime::spec::{
    Absorber, Algorithm, Entries, GroupRow, Init, Layers, ParamRow, Role, ScaleForm, ScaleRow, Spec,
};
use svspec_runtime::{Optimizer, Params, device, openmp, scale_stats};
use tch::{Device, Tensor};
use training::TRAINING;

const GROUPS: &[GroupRow] = &[GroupRow {
    name: "all",
    algorithm: Algorithm::AdamW { betas: (0.9, 0.95), eps: 1e-8 },
    lr: 1e-3,
    weight_decay: 0.1,
    clipped: true,
    rule: "",
}];

fn main() -> Result<(), Box<dyn Error>> {
    openmp::spin_briefly();
    device::prepare(Device::Cpu)?;
    let mut arguments = std::env::args().skip(1);
    let numbers: Result<Vec<i64>, _> = arguments.by_ref().take(5).map(|word| word.parse()).collect();
    let (&[width, hidden, num_layers, vocab, num_times], Some(folder)) = (&numbers?[..], arguments.next())
    else {
        return Err("usage: upkeep WIDTH HIDDEN LAYERS VOCAB TIMES FOLDER".into());
    };
    let spec = spec(width, hidden, num_layers, vocab);
    let params = Params::init(spec, 0, Device::Cpu);
    let mut optimizer = Optimizer::new(spec, &params);
    let gradients: Vec<Tensor> = params.iter().map(|param| param.tensor.detach().randn_like()).collect();
    let _norm = optimizer.step(&gradients, Factors::PEAK)?;
    drop(gradients);
    let guard = Guard::new(TRAINING.health, Device::Cpu);
    let mut state = State { step: 1, seconds: 0.0, params, optimizer, guard, roll_backs: Vec::new() };

    let mut writer = Writer::open(PathBuf::from(&folder), Keep::new(&TRAINING))?;
    let [mut waited, mut copied, mut written, mut measured] = [const { Vec::new() }; 4];
    for _ in 0..num_times {
        state.step += 1;
        let began = Instant::now();
        let snapshot = Snapshot::take(&state, state.optimizer.state(), record(spec, &state), Device::Cpu)?;
        writer.begin(snapshot, || Ok(()))?;
        waited.push(began.elapsed().as_secs_f64() * 1e3);
        writer.wait_for_copy();
        copied.push(began.elapsed().as_secs_f64() * 1e3);
        writer.finish()?;
        written.push(began.elapsed().as_secs_f64() * 1e3);
        let began = Instant::now();
        let rows = scale_stats::measure(spec, &state.params, Factors::PEAK);
        measured.push(began.elapsed().as_secs_f64() * 1e3);
        assert!(!rows.is_empty(), "there are vectors to measure");
    }
    let bytes = size(Path::new(&folder).join("checkpoint").as_path())?;
    println!("{} {} {} {} {bytes}", median(waited), median(copied), median(written), median(measured));
    Ok(())
}

/// The parameters of the unified strategy.
fn spec(width: i64, hidden: i64, num_layers: i64, vocab: i64) -> &'static Spec {
    let layers = Layers::Range(0, num_layers.unsigned_abs() as usize);
    let param = |path: String, layers, shape: &[i64]| ParamRow {
        path: path.leak(),
        layers,
        shape: shape.to_vec().leak(),
        group: 0,
        init: Init::Normal(0.02),
    };
    let matrices = [
        ("attn.q", width, width),
        ("attn.k", width, width),
        ("attn.v", width, width),
        ("attn.o", width, width),
        ("mlp.gate", hidden, width),
        ("mlp.up", hidden, width),
        ("mlp.down", width, hidden),
    ];
    let mut params = vec![
        param("embed.weight".to_owned(), Layers::Outside, &[vocab, width]),
        param("unembed.weight".to_owned(), Layers::Outside, &[vocab, width]),
    ];
    let mut scales = Vec::new();
    let mut vector =
        |path: String, layers, size: i64, role, absorbers: Vec<Absorber>, params: &mut Vec<ParamRow>| {
            params.push(param(format!("{path}.magnitude"), layers, &[1]));
            params.push(param(format!("{path}.direction"), layers, &[size]));
            let form = ScaleForm::MagnitudeDirection;
            scales.push(ScaleRow {
                path: path.leak(),
                layers,
                role,
                form,
                site: "",
                absorbers: absorbers.leak(),
            });
        };
    let columns = |weight: &str, rows, columns| {
        vec![Absorber::columns(format!("{weight}.weight").leak(), [1, rows, columns], Entries::Each)]
    };
    let of_head = columns("unembed", vocab, width);
    vector("final_norm.scale".to_owned(), Layers::Outside, width, Role::Input, of_head, &mut params);
    for (name, num_rows, num_columns) in matrices {
        params.push(param(format!("{name}.weight"), layers, &[num_rows, num_columns]));
        // Those of the branches; on the outputs of attention they are as long as a head.
        if !matches!(name, "attn.o" | "mlp.down") {
            let out = if name.starts_with("attn") { 64.min(width) } else { hidden };
            let read_by = columns(name, num_rows, num_columns);
            vector(format!("{name}.in_scale"), layers, width, Role::Input, read_by, &mut params);
            // What is multiplied by a gate folds into the map behind it.
            let folds = if name == "mlp.up" { columns("mlp.down", width, hidden) } else { Vec::new() };
            vector(format!("{name}.out_scale"), layers, out, Role::Output, folds, &mut params);
        }
    }
    Box::leak(Box::new(Spec {
        name: "upkeep",
        hash: "",
        vocab,
        context: 1,
        num_layers: num_layers.unsigned_abs() as usize,
        document_end: None,
        params: params.leak(),
        groups: GROUPS,
        matrices: &[],
        units: &[],
        scales: scales.leak(),
        training: TRAINING,
        flops_per_token: 0.0,
    }))
}

fn record(spec: &Spec, state: &State) -> Record {
    Record {
        format_version: Record::FORMAT_VERSION,
        model: spec.name.to_owned(),
        spec_hash: spec.hash.to_owned(),
        step: state.step,
        steps: state.step,
        tokens: 0,
        seed: 0,
        lr_scale: 1.0,
        threads: 1,
        processes: 1,
        seconds: 0.0,
        init_from: None,
        data: Vec::new(),
        val: Vec::new(),
        corpus: Fingerprint { sources: Vec::new() },
        roll_backs: Vec::new(),
    }
}

/// The bytes of the files in `folder`.
fn size(folder: &Path) -> std::io::Result<u64> {
    let files = std::fs::read_dir(folder)?;
    files.map(|file| Ok(file?.metadata()?.len())).sum()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
