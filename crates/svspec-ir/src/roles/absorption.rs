//! Whether γ folds exactly into neighbouring weights: forward into columns first, else backward into rows.

use super::{columns, flow, rows};
use crate::role::Fold;
use crate::{Absorption, Model, Proof, ScaleId};

/// A way along the flow on which γ folds, or the reason why it does not.
pub(super) type Folding = Result<Vec<Fold>, String>;

/// The absorption of `scale`, and the path that proves it.
pub(super) fn absorption(model: &Model, scale: ScaleId) -> (Absorption, Proof) {
    let places = flow::applications(model, scale);
    if places.is_empty() {
        let reason = "nothing applies it".to_owned();
        return (Absorption::None(reason.clone()), Proof { steps: vec![reason] });
    }
    let mut steps = Vec::new();
    let no_columns = match columns::fold(model, scale, &places, &mut steps) {
        Ok(folds) => return (Absorption::IntoColumns(folds), Proof { steps }),
        Err(reason) => reason,
    };
    let mut backward_steps = Vec::new();
    match rows::fold(model, scale, &places, &mut backward_steps) {
        Ok(folds) => {
            let first = format!("forward it does not fold: {no_columns}");
            let steps = std::iter::once(first).chain(backward_steps).collect();
            (Absorption::IntoRows(folds), Proof { steps })
        }
        Err(no_rows) => {
            steps.push(format!("forward it does not fold: {no_columns}"));
            steps.extend(backward_steps);
            steps.push(format!("backward it does not fold: {no_rows}"));
            (Absorption::None(format!("{no_columns}; {no_rows}")), Proof { steps })
        }
    }
}
