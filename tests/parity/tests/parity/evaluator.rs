//! The evaluator, in `f64`: the meaning of each spec is that of the reference.

use super::setting::{FAMILIES, TECHNIQUES};
use svspec_ir::eval;
use svspec_parity_tests::case::{self, Case};
use svspec_parity_tests::finding::{Computed, differences};

#[test]
fn families_mean_what_transformers_computes() {
    agree(&FAMILIES);
}

#[test]
fn techniques_mean_what_their_equations_say() {
    agree(&TECHNIQUES);
}

#[test]
fn every_technique_of_the_spec_has_a_reference() {
    let missing = case::techniques_without_reference().unwrap();
    assert!(missing.is_empty(), "no reference of {missing:?}; `cargo xtask parity --update` makes them");
}

fn agree(cases: &[Case]) {
    let mut faults = Vec::new();
    for case in cases {
        let (tokens, targets) = (case.expected("tokens").unwrap(), case.expected("targets").unwrap());
        let forward = eval::forward(case.model(), &case.values, tokens, targets);
        let (loss, gradients) = eval::gradients(case.model(), &case.values, tokens, targets);
        let gradients = case.naming.gradients(case.model(), &gradients).unwrap();
        let computed = Computed { logits: forward.logits.data, loss, gradients };
        faults.extend(differences(case, &computed).unwrap());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
