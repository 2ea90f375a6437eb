//! Folding: parameters in, parameters of the same model out whose absorbable scale vectors are ones and whose neighbours
//! bear them, so that the function is unchanged.

mod cure;
mod plan;

pub use cure::Cure;
pub use plan::{Outcome, Planned, plan};

use crate::eval::{Tensor, Values};
use crate::role::Fold;
use crate::{Absorption, Instance, Model, ParamId, ParamKind, ScaleFacts, ScaleId, scale};

/// Which way γ meets a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Along its trailing entries: a weight's columns, an embedding's channels, a bias.
    Columns,
    /// Along its leading entries: a weight's rows.
    Rows,
}

/// Folds every absorbable scale vector of `facts` into its neighbours, in those layers whose vectors `values` holds.
pub fn fold(model: &Model, values: &Values, facts: &[ScaleFacts]) -> Values {
    let mut folded = values.clone();
    for fact in facts {
        match &fact.absorption {
            Absorption::IntoColumns(folds) => fold_one(model, &mut folded, fact.scale, folds, Side::Columns),
            Absorption::IntoRows(folds) => fold_one(model, &mut folded, fact.scale, folds, Side::Rows),
            Absorption::None(_) => {}
        }
    }
    folded
}

fn fold_one(model: &Model, values: &mut Values, scale: ScaleId, folds: &[Fold], side: Side) {
    let Some(vector) = model.scales.get(scale.0) else { return };
    for layer in layers(model, scale) {
        let is_held = |&param: &ParamId| values.contains_key(&model.instance(param, layer));
        if !vector.params.iter().all(is_held) {
            continue;
        }
        let gamma = scale::gamma(model, scale, layer, values);
        for fold in folds {
            let Some(param) = model.params.get(fold.weight.0) else { continue };
            let factors: Vec<f64> = fold
                .channels
                .iter()
                .map(|entry| entry.map_or(1.0, |entry| gamma.data.get(entry).copied().unwrap_or(f64::NAN)))
                .collect();
            let side = side_of(param.kind, side);
            if let Some(weight) = values.get_mut(&model.instance(fold.weight, layer)) {
                multiply(weight, &factors, side, vector.num_vectors);
            }
        }
        for (&param, &value) in vector.params.iter().zip(vector.form.identity()) {
            if let Some(tensor) = values.get_mut(&model.instance(param, layer)) {
                tensor.data.fill(value);
            }
        }
    }
}

/// Which way γ meets a parameter of this kind, where it meets a weight's `side`.
pub fn side_of(kind: ParamKind, side: Side) -> Side {
    match kind {
        ParamKind::Weight | ParamKind::Router => side,
        ParamKind::Embedding | ParamKind::Bias | ParamKind::Scale | ParamKind::Correction => Side::Columns,
    }
}

/// The layers that have the scale vector; `None` outside the stack.
pub(crate) fn layers(model: &Model, scale: ScaleId) -> Vec<Option<usize>> {
    let first = model.scales.get(scale.0).and_then(|scale| scale.params.first());
    let of_first = |instance: &Instance| Some(&instance.param) == first;
    model.instances().into_iter().filter(of_first).map(|instance| instance.layer).collect()
}

/// Multiplies each row, or each entry of every row, by its factor; of `num_vectors` matrices each by its own share of them.
pub fn multiply(weight: &mut Tensor, factors: &[f64], side: Side, num_vectors: usize) {
    let (num_entries, num_factors) =
        (weight.data.len() / num_vectors.max(1), factors.len() / num_vectors.max(1));
    let matrices = weight.data.chunks_exact_mut(num_entries.max(1));
    for (matrix, factors) in matrices.zip(factors.chunks_exact(num_factors.max(1))) {
        multiply_matrix(matrix, factors, side);
    }
}

fn multiply_matrix(matrix: &mut [f64], factors: &[f64], side: Side) {
    let num_factors = factors.len().max(1);
    match side {
        Side::Columns => {
            for row in matrix.chunks_exact_mut(num_factors) {
                for (entry, factor) in row.iter_mut().zip(factors) {
                    *entry *= factor;
                }
            }
        }
        Side::Rows => {
            let num_columns = (matrix.len() / num_factors).max(1);
            for (row, factor) in matrix.chunks_exact_mut(num_columns).zip(factors) {
                for entry in row {
                    *entry *= factor;
                }
            }
        }
    }
}
