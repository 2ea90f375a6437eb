//! The evaluator, in `f64`: the meaning of each spec is the family's.

use super::setting::CASES;
use svspec_ir::eval;
use svspec_parity_tests::case::foreign_gradients;
use svspec_parity_tests::finding::{Computed, differences};

#[test]
fn specs_mean_what_transformers_computes() {
    let mut faults = Vec::new();
    for case in CASES.iter() {
        let (tokens, targets) = (case.expected("tokens").unwrap(), case.expected("targets").unwrap());
        let forward = eval::forward(case.model(), &case.values, tokens, targets);
        let (loss, gradients) = eval::gradients(case.model(), &case.values, tokens, targets);
        let gradients = foreign_gradients(case.model(), &gradients).unwrap();
        let computed = Computed { logits: forward.logits.data, loss, gradients };
        faults.extend(differences(case, &computed).unwrap());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
