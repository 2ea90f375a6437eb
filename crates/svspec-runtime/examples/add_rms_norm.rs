//! How long a branch takes into the residual stream and the norm behind it, and the gradients back: in one call against a sum and a
//! norm, the median ratio of so many pairs, on a CPU. Both times hold products with fixed numbers and their sums, which stand for what
//! reads the stream and the norm.
//!
//! `add_rms_norm TOKENS WIDTH f32|bf16 PAIRS`; `cargo xtask bench` prints it.
#![expect(clippy::print_stdout, reason = "the figure")]

#[path = "shared/pairs.rs"]
mod pairs;
#[path = "shared/products.rs"]
mod products;

use pairs::median_ratio;
use products::products_in;
use std::time::Instant;
use svspec_runtime::device;
use svspec_runtime::nn;
use svspec_runtime::precision;
use tch::{Device, Kind, Tensor};

const EPS: f64 = 1e-5;

/// The stream and a branch to their sum and the norm of it.
type Pass = dyn Fn(&Tensor, &Tensor) -> (Tensor, Tensor);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tokens, width, precision, num_pairs] = arguments.as_slice() else {
        return Err("usage: add_rms_norm TOKENS WIDTH f32|bf16 PAIRS".into());
    };
    let (tokens, width): (i64, i64) = (tokens.parse()?, width.parse()?);
    let (precision, kind) = products_in(precision)?;
    let num_pairs: usize = num_pairs.parse()?;
    device::prepare(Device::Cpu)?;
    tch::manual_seed(7);
    let draw = |kind: Kind| Tensor::randn([tokens, width], (Kind::Float, Device::Cpu)).to_kind(kind);
    // Matrix products give the branch, and read the norm, in their own type; the stream is f32.
    let leaves = [draw(Kind::Float), draw(kind)].map(|leaf| leaf.set_requires_grad(true));
    let (of_stream, of_norm) = (draw(Kind::Float), draw(kind));
    let time = |pass: &Pass| -> Result<f64, Box<dyn std::error::Error>> {
        let [x, branch] = &leaves;
        let began = Instant::now();
        let (stream, normalized) = precision::run(precision, Device::Cpu, || pass(x, branch))?;
        let loss = (stream * &of_stream).sum(Kind::Float) + (normalized * &of_norm).sum(Kind::Float);
        let gradients = Tensor::run_backward(&[loss], &[x, branch], false, false);
        assert!(gradients.iter().all(Tensor::defined));
        Ok(began.elapsed().as_secs_f64())
    };
    let in_one_call = |x: &Tensor, branch: &Tensor| nn::add_rms_norm_for_products(x, branch, 1, EPS);
    let one_by_one = |x: &Tensor, branch: &Tensor| {
        let stream = x + branch;
        let normalized = nn::rms_norm_for_products(&stream, 1, EPS);
        (stream, normalized)
    };
    println!("{}", median_ratio(num_pairs, || time(&in_one_call), || time(&one_by_one))?);
    Ok(())
}
