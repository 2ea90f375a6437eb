//! How long weights take into a matrix product and their gradients back, three projections of one input with a vector on the columns
//! of each: in one call against LibTorch's operations one by one, the median ratio of so many pairs, on a CPU. Both times hold a
//! product with fixed numbers and its sum, which stand for what reads the weights.
//!
//! `scaled_weights ROWS COLUMNS f32|bf16 PAIRS`; `cargo xtask bench` prints it.
#![expect(clippy::print_stdout, reason = "the figure")]

#[path = "shared/pairs.rs"]
mod pairs;
#[path = "shared/products.rs"]
mod products;

use pairs::median_ratio;
use products::products_in;
use std::time::Instant;
use svspec_runtime::device;
use svspec_runtime::nn::{self, Weight};
use svspec_runtime::precision;
use tch::{Device, Kind, Tensor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, columns, precision, num_pairs] = arguments.as_slice() else {
        return Err("usage: scaled_weights ROWS COLUMNS f32|bf16 PAIRS".into());
    };
    let (rows, columns): (i64, i64) = (rows.parse()?, columns.parse()?);
    let (precision, kind) = products_in(precision)?;
    let num_pairs: usize = num_pairs.parse()?;
    device::prepare(Device::Cpu)?;
    tch::manual_seed(7);
    let draw = |shape: &[i64]| Tensor::randn(shape, (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let parts: Vec<[Tensor; 2]> = (0..3).map(|_| [draw(&[rows, columns]), draw(&[columns])]).collect();
    let leaves: Vec<&Tensor> = parts.iter().flatten().collect();
    let of_stack = draw(&[3 * rows, columns]).detach().to_kind(kind);
    let time = |stack: &dyn Fn() -> Tensor| -> Result<f64, Box<dyn std::error::Error>> {
        let began = Instant::now();
        let stacked = precision::run(precision, Device::Cpu, stack)?;
        let gradients = Tensor::run_backward(&[(stacked * &of_stack).sum(kind)], &leaves, false, false);
        assert!(gradients.iter().all(Tensor::defined));
        Ok(began.elapsed().as_secs_f64())
    };
    let in_one_call = || {
        let weights: Vec<Weight<'_>> =
            parts.iter().map(|[weight, column]| Weight::new(weight, 1).columns(column)).collect();
        nn::weights(&weights)
    };
    let one_by_one = || {
        let scaled: Vec<Tensor> = parts.iter().map(|[weight, column]| weight * column).collect();
        // As autocast casts what a product is given.
        Tensor::cat(&scaled, 0).to_kind(kind)
    };
    println!("{}", median_ratio(num_pairs, || time(&in_one_call), || time(&one_by_one))?);
    Ok(())
}
