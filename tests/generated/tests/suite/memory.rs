//! The memory of a training step as `svc show cost` predicts it and as a run measures it, for models and settings whose memory
//! goes to different things. What is measured is every tensor that LibTorch allocates on the CPU.

use super::setting::{CRATES, MEMORY, scratch};
use std::fs;
use std::path::Path;
use svspec_generated_tests::run;
use svspec_ir::print;

/// Text to train on; of a long one the validation would take longer than the steps.
const TEXT: &str = include_str!("../../../../specs/nano.svspec");

/// How far the prediction may be off.
const TOLERANCE: f64 = 0.15;

#[test]
fn the_predicted_peak_is_the_measured_one() {
    let text = scratch("memory.txt");
    fs::create_dir_all(scratch("memory")).unwrap();
    fs::write(&text, TEXT.repeat(4)).unwrap();
    let mut faults = Vec::new();
    for target in MEMORY.targets() {
        let out = scratch("memory").join(&target);
        let _ = fs::remove_dir_all(&out);
        let arguments: [&Path; 7] = [
            "--data".as_ref(),
            &text,
            "--out".as_ref(),
            &out,
            "--device".as_ref(),
            "cpu".as_ref(),
            "--quiet".as_ref(),
        ];
        CRATES.run(&target, &arguments).unwrap();
        let summary = run::json(&out.join("summary.json")).unwrap();
        let measured = summary["peak_tensor_bytes"].as_f64().unwrap();
        let resident = summary["peak_memory_bytes"].as_f64().unwrap();
        assert!(resident > measured, "{target}: {measured} bytes of tensors in {resident} of the process");
        let predicted = print::cost::view(&MEMORY.checked(&target).unwrap()).report.memory.total as f64;
        let off = predicted / measured - 1.0;
        let shown = format!(
            "{target}: predicted {:.1} MiB, measured {:.1} MiB, {:+.1} %",
            predicted / f64::from(1 << 20),
            measured / f64::from(1 << 20),
            100.0 * off
        );
        println!("{shown}");
        if off.abs() > TOLERANCE {
            faults.push(shown);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
