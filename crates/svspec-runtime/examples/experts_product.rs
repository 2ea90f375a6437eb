//! How long the product of rows by the matrices of their experts takes, forward and backward, in one call against expert by expert:
//! the median ratio of so many pairs, on a CPU in f32.
//!
//! `experts_product EXPERTS CHOSEN WIDTH HIDDEN PAIRS`; `cargo xtask bench` prints it.
#![expect(clippy::print_stdout, reason = "the figure")]

#[path = "shared/pairs.rs"]
mod pairs;

use pairs::median_ratio;
use std::time::Instant;
use svspec_runtime::device;
use svspec_runtime::nn::Choice;
use tch::{Device, Kind, Tensor};

const NUM_TOKENS: i64 = 2048;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Result<Vec<i64>, _> = std::env::args().skip(1).map(|word| word.parse()).collect();
    let [num_experts, num_chosen, width, hidden, num_pairs] = arguments?[..] else {
        return Err("usage: experts_product EXPERTS CHOSEN WIDTH HIDDEN PAIRS".into());
    };
    device::prepare(Device::Cpu)?;
    tch::manual_seed(7);
    let draw = |shape: &[i64]| Tensor::randn(shape, (Kind::Float, Device::Cpu));
    let chosen = Choice::largest(&draw(&[1, NUM_TOKENS, num_experts]), num_chosen);
    let x_ri = chosen.dispatch(&draw(&[1, NUM_TOKENS, width])).set_requires_grad(true);
    let weight_eoi = draw(&[num_experts, hidden, width]).set_requires_grad(true);
    let of_product_ro = draw(&[NUM_TOKENS * num_chosen, hidden]);
    if !chosen.has_grouped_product(&x_ri, &weight_eoi) {
        return Err("LibTorch has no kernel for these sizes".into());
    }
    let time = |product: &dyn Fn() -> Tensor| -> Result<f64, Box<dyn std::error::Error>> {
        let began = Instant::now();
        let gradients = Tensor::run_backward(
            &[(product() * &of_product_ro).sum(Kind::Float)],
            &[&x_ri, &weight_eoi],
            false,
            false,
        );
        assert!(gradients.iter().all(Tensor::defined));
        Ok(began.elapsed().as_secs_f64())
    };
    let grouped = || time(&|| chosen.linear(&x_ri, &weight_eoi));
    let by_expert = || time(&|| chosen.linear_by_expert(&x_ri, &weight_eoi));
    println!("{}", median_ratio(num_pairs as usize, grouped, by_expert)?);
    Ok(())
}
