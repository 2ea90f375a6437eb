//! How fast a generated trainer of a small GPT is, and how much memory it takes, against the same model in PyTorch.

use super::Figure;
use super::trainer::{median, rows, train};
use crate::command::output;
use crate::parity::Python;
use crate::repository;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::Path;

/// Steps that are timed, ten at a time.
const NUM_STEPS: u64 = 30;

/// Generated, eager and compiled are run in turn, this often.
const NUM_ROUNDS: usize = 3;

/// 10 M parameters; `gpt.py` is the same.
const SPEC: &str = "svspec 1

model gpt {
    vocab          = 8192
    context        = 256
    width          = 256
    tie_embeddings = on

    positions pos
    attention attn { heads = 8 }
    mlp       mlp  { hidden = 4 * width, activation = gelu_tanh }
    rms_norm  attn_norm, mlp_norm, final_norm { eps = 1e-5 }

    x = embed(tokens) + pos(tokens)
    layer {
        x = x + attn(attn_norm(x))
        x = x + mlp(mlp_norm(x))
    }
    stack  = 10 * layer
    logits = unembed(final_norm(x))

    optimizer {
        lr    = 1e-3
        betas = (0.9, 0.95)
        decay 0.1 on weight, embedding, scale
    }
    train {
        steps      = 20
        batch      = 8
        clip       = 1.0
        eval_every = 20
    }
}

variant gpt_bf16 of gpt {
    train { precision = bf16 }
}
";

/// Tokens a second, and MiB.
#[derive(Clone, Copy)]
struct Measured {
    speed: f64,
    memory: f64,
}

/// Nothing, with a word, where `cargo xtask parity` has installed no PyTorch.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let Some(python) = Python::installed() else {
        eprintln!("the GPT is not compared with PyTorch's: `cargo xtask parity` installs that");
        return Ok(Vec::new());
    };
    let spec = scratch.join("gpt.svspec");
    std::fs::write(&spec, SPEC).with_context(|| format!("cannot write {}", spec.display()))?;
    let theirs = |mode: &str, precision: &str| -> Result<Measured> {
        let mut command = python.run(&repository::root().join("crates/xtask/src/bench/gpt.py"));
        command.args([mode, precision, &NUM_STEPS.to_string()]);
        let text = output(command, &[0])?;
        let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
        let &[speed, memory] = &numbers?[..] else { bail!("`{}` is not two numbers", text.trim()) };
        Ok(Measured { speed, memory })
    };
    let round = |target: &str, precision: &str, number: usize| -> Result<[Measured; 3]> {
        let ours = generated(&spec, target, &scratch.join(format!("run-{target}-{number}")))?;
        Ok([ours, theirs("eager", precision)?, theirs("compile", precision)?])
    };
    let mut figures = against_pytorch(
        ["a GPT of 10 M parameters, f32", "the same, peak memory of the process"],
        |number| round("gpt", "f32", number),
    )?;
    if has_bf16_products() {
        figures
            .extend(against_pytorch(["that GPT, bf16", "the same, peak memory of the process"], |number| {
                round("gpt_bf16", "bf16", number)
            })?);
    } else {
        figures.push(without_bf16_products(&spec, scratch)?);
    }
    Ok(figures)
}

#[cfg(target_arch = "x86_64")]
fn has_bf16_products() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_bf16_products() -> bool {
    true
}

/// Speed and memory of the generated trainer, eager and compiled, by rounds.
fn against_pytorch(
    [speed, memory]: [&'static str; 2],
    round: impl Fn(usize) -> Result<[Measured; 3]>,
) -> Result<Vec<Figure>> {
    let rounds: Vec<[Measured; 3]> = (0..NUM_ROUNDS).map(round).collect::<Result<_>>()?;
    let of = |figure: fn(&[Measured; 3]) -> f64| median(rounds.iter().map(figure).collect());
    Ok(vec![
        Figure {
            what: speed,
            value: format!(
                "{:.0} tokens/s; {:.3}× PyTorch eager, {:.3}× torch.compile (median of {NUM_ROUNDS} rounds)",
                of(|[ours, ..]| ours.speed),
                of(|[ours, eager, _]| ours.speed / eager.speed),
                of(|[ours, _, compiled]| ours.speed / compiled.speed),
            ),
        },
        Figure {
            what: memory,
            value: format!(
                "{:.0} MiB; {:.3}× eager, {:.3}× torch.compile",
                of(|[ours, ..]| ours.memory),
                of(|[ours, eager, _]| ours.memory / eager.memory),
                of(|[ours, _, compiled]| ours.memory / compiled.memory),
            ),
        },
    ])
}

/// Against f32: PyTorch would take a minute for each step in bf16.
fn without_bf16_products(spec: &Path, scratch: &Path) -> Result<Figure> {
    let ratio = |round: usize| -> Result<f64> {
        let speed = |target: &str| -> Result<f64> {
            Ok(generated(spec, target, &scratch.join(format!("against-{target}-{round}")))?.speed)
        };
        Ok(speed("gpt_bf16")? / speed("gpt")?)
    };
    let ratios: Vec<f64> = (0..NUM_ROUNDS).map(ratio).collect::<Result<_>>()?;
    Ok(Figure {
        what: "that GPT in bf16 where the processor has no products in bf16, tokens/s against its f32",
        value: format!("{:.2}× (median of {NUM_ROUNDS} rounds)", median(ratios)),
    })
}

/// The median of the speeds that the rows tell once the first are warm, and the peak of the run.
fn generated(spec: &Path, target: &str, out: &Path) -> Result<Measured> {
    // A row's speed is that of the ten steps around it; of the first ten the first are slow.
    let steps = (NUM_STEPS + 10).to_string();
    let run = train(spec, target, &["--steps", &steps, "--threads", "2"], out)?;
    let field = |row: &Value, name: &str| row.get(name).and_then(Value::as_f64);
    let warm: Vec<f64> = rows(out)?
        .iter()
        .filter(|row| field(row, "step").is_some_and(|step| step > 10.0))
        .filter_map(|row| field(row, "tokens_per_second"))
        .collect();
    Ok(Measured { speed: median(warm), memory: run.memory })
}
