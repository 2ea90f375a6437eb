//! From a lowered model to what data flow proves of each of its scale vectors: the role, and where it folds.
//!
//! Both follow γ through the graph, but ask different questions. The *role* asks what reads the scaled value: ops that
//! keep it a rescaled value of the same channels (another scale vector, a constant, a shift by a bias, a slice) are
//! looked through, and so are the borders of regions. The *absorption* asks where γ can be multiplied into weights
//! without changing the function, and so it follows γ through every op that commutes with it, such as attention
//! on its values. Both are about γ itself, whatever parameters it is computed from. A model is taken as lowered, before
//! any rewrite has moved a scale vector onto a weight.

mod absorption;
mod columns;
mod flow;
mod reading;
mod rows;

use crate::{Absorption, Model, ScaleFacts, ScaleId};

/// Proves the role and the absorption of every scale vector, in the order of `Model::scales`.
pub fn prove(model: &Model) -> Vec<ScaleFacts> {
    (0..model.scales.len())
        .map(|index| {
            let scale = ScaleId(index);
            let (role, role_proof) = reading::role(model, scale);
            let (absorption, absorption_proof) = absorption::absorption(model, scale);
            ScaleFacts { scale, role, role_proof, absorption, absorption_proof }
        })
        .collect()
}

/// The absorption alone of one scale vector.
pub(crate) fn absorption_of(model: &Model, scale: ScaleId) -> Absorption {
    absorption::absorption(model, scale).0
}
