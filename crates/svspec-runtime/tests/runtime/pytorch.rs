//! 50 steps of each group on the gradients that PyTorch's optimizers were given, and where these went.
//!
//! `pytorch.safetensors` is made by `tests/parity/optimizers.py` of this project; `cargo xtask parity` makes it afresh, and
//! names the folder by SVSPEC_PARITY_REFERENCES.

use crate::runs::turn;
use crate::settings::{SPEC, matrix_shape, tolerance};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use svspec_runtime::schedule::Factors;
use svspec_runtime::{Optimizer, Params, tensor_file};
use tch::{Device, Kind, Tensor};

fn reference() -> BTreeMap<String, Tensor> {
    let committed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runtime/pytorch.safetensors");
    let fresh = std::env::var_os("SVSPEC_PARITY_REFERENCES");
    let path = fresh.map_or_else(committed, |folder| PathBuf::from(folder).join("pytorch.safetensors"));
    tensor_file::read(&path).unwrap().tensors
}

/// Steps on the reference's gradients in numbers of `kind`, compared after some of them with what is there as `trace`.
fn follows(trace: &str, kind: Kind, exact: f64) {
    let _turn = turn();
    let reference = reference();
    let numbers = |name: &str| Vec::<f64>::try_from(&reference[name]).unwrap();
    let kept: Vec<usize> =
        Vec::<i64>::try_from(&reference["steps"]).unwrap().iter().map(|&step| step as usize).collect();
    let (lr, decay, norms) = (numbers("lr"), numbers("decay"), &reference["norm"]);
    let mut initial: BTreeMap<String, Tensor> = SPEC
        .params
        .iter()
        .map(|row| (row.path.to_owned(), reference[&format!("initial.{}", row.path)].to_kind(kind)))
        .collect();
    let params = Params::take(&SPEC, &mut initial, Device::Cpu).unwrap();
    let mut optimizer = Optimizer::new(&SPEC, &params);
    assert_eq!((lr.len(), kept.last()), (50, Some(&50)));
    for step in 0..lr.len() {
        let gradients: Vec<Tensor> = params
            .iter()
            .map(|param| reference[&format!("gradient.{}", param.name)].get(step as i64).to_kind(kind).copy())
            .collect();
        let norm = optimizer.step(&gradients, Factors { lr: lr[step], decay: decay[step] }).unwrap();
        let expected = norms.double_value(&[step as i64]);
        assert!((norm.double_value(&[]) / expected - 1.0).abs() < 1e-6, "the norm of step {}", step + 1);
        let Some(index) = kept.iter().position(|&kept| kept == step + 1) else { continue };
        for param in &params {
            let group = &SPEC.groups[param.group];
            let shape = matrix_shape(&param.tensor.size(), param.matrices);
            let tolerance = tolerance(group, shape, &lr[..=step], exact);
            let there = reference[&format!("{trace}.{}", param.name)].get(index as i64).to_kind(Kind::Double);
            let error = (param.tensor.detach().to_kind(Kind::Double) - there).abs().max().double_value(&[]);
            assert!(
                error <= tolerance,
                "{} is off by {error:e} of {tolerance:e} after step {}",
                param.name,
                step + 1
            );
        }
    }
}

/// f32 keeps 6e-8 of weights near 1, and roundings differ by fused products: fifty of that size, to either side.
#[test]
fn in_f32() {
    follows("f32", Kind::Float, 1e-6);
}

/// In f64 only Muon's bf16 rounds visibly.
#[test]
fn in_f64() {
    follows("f64", Kind::Double, 1e-12);
}
