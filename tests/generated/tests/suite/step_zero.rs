//! At step 0 the techniques that only add vectors compute the baseline's function, bit for bit in f32.

use super::setting::{CRATES, TINY, scratch};
use std::collections::BTreeMap;
use std::fs;
use svspec_generated_tests::door::{self, Batch};
use svspec_generated_tests::tensors::Kind;
use svspec_ir::eval::{self, Tensor};

#[test]
fn branch_specific_vectors_and_dual_placement_start_as_the_baseline() {
    let baseline = logits("tiny");
    for target in ["tiny_hg", "tiny_dp"] {
        assert_eq!(logits(target).data, baseline.data, "{target}");
    }
}

/// The logits with the baseline's initial weights, by name, and the target's own initial vectors.
fn logits(target: &str) -> Tensor {
    let folder = scratch("step_zero");
    fs::create_dir_all(&folder).unwrap();
    let baseline = TINY.checked("tiny").unwrap();
    let shared: BTreeMap<String, Tensor> = eval::initial_values(baseline.model(), baseline.assignments(), 1)
        .into_iter()
        .map(|(instance, value)| (baseline.model().instance_name(instance), value))
        .collect();
    let checked = TINY.checked(target).unwrap();
    let model = checked.model();
    let mut values = eval::initial_values(model, checked.assignments(), 2);
    for (instance, value) in &mut values {
        if let Some(shared) = shared.get(&model.instance_name(*instance)) {
            *value = shared.clone();
        }
    }
    let tokens = eval::random_tokens(model, 2, model.context, 4);
    let batch = Batch { targets: tokens.clone(), tokens };
    let mut found = door::evaluate(&CRATES, &folder, model, &values, &batch, Kind::F32).unwrap();
    found.remove("logits").unwrap()
}
