//! What a rewrite must keep: outputs and gradients, and that the graph is a valid one.

use crate::agreement::{distance, distance_on_scale, largest};
use std::collections::BTreeSet;
use svspec_ir::eval::{forward, gradients, random_tokens, random_values};
use svspec_ir::op::Input;
use svspec_ir::rewrite::{Rewrite, Rewrites, optimise};
use svspec_ir::{Dims, Model, Op, Region, RegionKind};

/// Every set of rewrites.
pub fn subsets() -> Vec<Rewrites> {
    let subset = |bits: usize| {
        let chosen = Rewrite::ALL.into_iter().enumerate().filter(move |(index, _)| bits >> index & 1 == 1);
        chosen.fold(Rewrites::none(), |set, (_, rewrite)| set.with(rewrite))
    };
    (0..1 << Rewrite::ALL.len()).map(subset).collect()
}

/// Outputs, loss and gradients are the same after every set of rewrites.
pub fn check_kept(model: &Model) {
    let (tokens, targets) = (random_tokens(model, 2, 4, 1), random_tokens(model, 2, 4, 2));
    let values = random_values(model, 3);
    let logits = forward(model, &values, &tokens, &targets).logits;
    let (loss, expected) = gradients(model, &values, &tokens, &targets);
    // A vector before a normalisation has a gradient near 0, which is a difference of terms as large as the others.
    let scale = 1e-2 * expected.values().map(largest).fold(0.0, f64::max);
    for rewrites in subsets() {
        let (rewritten, _) = optimise(model, &rewrites);
        let what = format!("{} with {rewrites:?}", model.name);
        let found = forward(&rewritten, &values, &tokens, &targets).logits;
        assert!(distance(&logits, &found) < 1e-12, "{what}");
        let (found_loss, found) = gradients(&rewritten, &values, &tokens, &targets);
        assert!((loss - found_loss).abs() < 1e-12 * loss, "{what}");
        assert!(expected.keys().eq(found.keys()), "{what}");
        for ((instance, expected), found) in expected.iter().zip(found.values()) {
            let distance = distance_on_scale(expected, found, scale);
            assert!(distance < 1e-12, "{what}: {} {distance}", model.instance_name(*instance));
        }
    }
}

/// Every node follows its inputs, has a name of its own, has the dimensions it infers, and is read.
pub fn validate(model: &Model) {
    for region in &model.regions {
        let mut names = BTreeSet::new();
        for (index, node) in region.nodes.iter().enumerate() {
            let what = format!("{} {} {}", model.name, region.name, node.name);
            assert!(names.insert(&node.name), "{what}: the name is taken");
            assert!(node.inputs.iter().all(|input| input.0 < index), "{what}: reads what is not there yet");
            assert_eq!(inferred(model, region, index), node.dims, "{what}");
            let is_read =
                region.nodes.iter().any(|reader| reader.inputs.iter().any(|input| input.0 == index));
            assert!(is_read || region.hands_on(svspec_ir::ValueId(index)), "{what}: is dead");
        }
    }
}

fn inferred(model: &Model, region: &Region, index: usize) -> Dims {
    let node = &region.nodes[index];
    if node.op == Op::Input(Input::Carried) && region.kind == RegionKind::Loss {
        let head = model.regions.iter().find(|region| region.kind == RegionKind::Head).unwrap();
        return head.nodes[head.output.0].dims.clone();
    }
    let inputs: Vec<_> = node.inputs.iter().map(|input| region.nodes[input.0].dims.as_slice()).collect();
    node.op.operation().infer(model, &inputs).unwrap()
}
