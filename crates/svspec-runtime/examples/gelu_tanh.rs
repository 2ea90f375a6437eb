//! How long the tanh approximation of gelu takes, and its gradient, against LibTorch's, the median ratio of so many pairs, on a CPU.
//! Both times hold a product with fixed numbers and its sum, which stand for what reads it.
//!
//! `gelu_tanh TOKENS WIDTH f32|bf16 PAIRS`; `cargo xtask bench` prints it.
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
use tch::{Device, Kind, Tensor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tokens, width, precision, num_pairs] = arguments.as_slice() else {
        return Err("usage: gelu_tanh TOKENS WIDTH f32|bf16 PAIRS".into());
    };
    let (tokens, width): (i64, i64) = (tokens.parse()?, width.parse()?);
    let (_, kind) = products_in(precision)?;
    let num_pairs: usize = num_pairs.parse()?;
    device::prepare(Device::Cpu)?;
    tch::manual_seed(7);
    let draw = || Tensor::randn([tokens, width], (Kind::Float, Device::Cpu)).to_kind(kind);
    let (x, along) = (draw().set_requires_grad(true), draw());
    let time = |gelu: &dyn Fn(&Tensor) -> Tensor| -> Result<f64, tch::TchError> {
        let began = Instant::now();
        let loss = (gelu(&x) * &along).sum(Kind::Float);
        let gradients = Tensor::f_run_backward(&[&loss], &[&x], false, false)?;
        assert!(gradients.iter().all(Tensor::defined));
        Ok(began.elapsed().as_secs_f64())
    };
    let libtorch = |x: &Tensor| x.gelu("tanh");
    println!("{}", median_ratio(num_pairs, || time(&nn::gelu_tanh), || time(&libtorch))?);
    Ok(())
}
