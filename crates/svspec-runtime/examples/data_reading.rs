//! How many tokens a second a trainer's data comes at: windows cut from the shards of a mixture of two, in its order, and put in
//! tensors, on a CPU; the median of so many rounds.
//!
//! `data_reading FOLDER SEQUENCES CONTEXT ROUNDS`: the shards are written to FOLDER, and so many sequences are read at a time;
//! `cargo xtask bench` prints it.
#![expect(clippy::print_stdout, reason = "the figure")]

use std::path::Path;
use std::time::Instant;
use svspec_runtime::{batch, corpus, openmp, random};
use tch::Device;

/// Tokens in each source: of two bytes each, more than a processor's caches hold.
const NUM_TOKENS: u64 = 1 << 25;
/// Tokens in a round.
const NUM_READ: u64 = 1 << 22;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    openmp::spin_briefly();
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_default();
    let numbers: Result<Vec<u64>, _> = arguments.map(|word| word.parse()).collect();
    let [num_sequences, context, num_rounds] = numbers?[..] else {
        return Err("usage: data_reading FOLDER SEQUENCES CONTEXT ROUNDS".into());
    };
    let place = |name: &str| Path::new(&folder).join(name);
    for (seed, source) in (0..).zip(["a.bin", "b.bin"].map(place)) {
        let tokens = (0..NUM_TOKENS).map(|index| random::at(seed, index) as u16);
        std::fs::write(source, tokens.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())?;
    }
    let corpus = corpus::read(&["a.bin@0.8", "b.bin@0.2"].map(place))?;
    let (context, mut next) = (context as usize, 0);
    let mut rates: Vec<f64> = (0..num_rounds)
        .map(|_| {
            let began = Instant::now();
            let mut num_read = 0;
            while num_read < NUM_READ {
                let windows = corpus.training_windows(7, next..next + num_sequences, context);
                let batch = batch::batch(&windows, context, Device::Cpu);
                num_read += batch.tokens_bt.numel() as u64;
                next += num_sequences;
            }
            num_read as f64 / began.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    println!("{}", rates.get(rates.len() / 2).copied().unwrap_or_default());
    Ok(())
}
