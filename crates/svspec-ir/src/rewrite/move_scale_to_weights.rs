//! `move_scale_to_weights`: `W (γ ⊙ x)` becomes `(W diag(γ)) x`, and `γ ⊙ (W x)` becomes `(diag(γ) W) x`, where that is
//! less to read and write.
//!
//! The weight itself stays as it is: γ multiplies a copy at this use, once per micro-batch. So a weight that is used
//! elsewhere, such as a tied embedding's table, keeps its meaning there.
//!
//! The two costs, in bytes per micro-batch, forward and backward. On activations: forward reads x and writes γ ⊙ x;
//! backward reads the gradient and writes x's, and reads the gradient and x for γ's: `6 · batch · time · channels`
//! values of the activation type. On weights: the same six passes over `Σ out · in` entries of f32, the sum over the
//! linear maps that take γ. Moving also spares the copy of γ ⊙ x that autograd keeps, and lets maps of one value that
//! differ in γ only share one matrix product.

use super::region::{is_output, readers, redirect, sweep};
use crate::op::Linear;
use crate::{Model, Node, Op, Precision, RegionId, ScaleId, ValueId, dim};

const PASSES: f64 = 6.0;
const BYTES_OF_WEIGHT: f64 = 4.0;

/// Moves each scale vector of the region onto the weights beside it, if they can take it and that costs less.
pub(super) fn apply(model: &mut Model, region: RegionId) -> Vec<String> {
    let mut lines = Vec::new();
    let num_nodes = model.regions.get(region.0).map_or(0, |region| region.nodes.len());
    for value in (0..num_nodes).map(ValueId) {
        let Some(to) = cheapest(model, region, value) else { continue };
        lines.extend(perform(model, region, value, &to));
    }
    if let Some(region) = model.regions.get_mut(region.0) {
        sweep(region);
    }
    lines
}

/// The linear maps that would take a scale vector.
enum Move {
    Columns(Vec<ValueId>),
    Rows(ValueId),
}

/// Where the vector that the node `value` applies goes, if anywhere.
fn cheapest(model: &Model, region: RegionId, value: ValueId) -> Option<Move> {
    let region = model.regions.get(region.0)?;
    let node = region.nodes.get(value.0)?;
    let Op::Scale(_) = node.op else { return None };
    let entries_of =
        |maps: &[ValueId]| -> usize { maps.iter().map(|map| entries(region.nodes.get(map.0), region)).sum() };
    let columns = columns(region, value).map(|maps| (entries_of(&maps), Move::Columns(maps)));
    let rows = rows(region, value).map(|map| (entries_of(&[map]), Move::Rows(map)));
    let (entries, to) = columns.into_iter().chain(rows).min_by_key(|(entries, _)| *entries)?;
    let values = dim::num_elements(&node.dims);
    (traffic_on_weights(entries) < traffic_on_activations(model, values)).then_some(to)
}

/// Bytes per micro-batch for a vector on `channels` channels of every token.
fn traffic_on_activations(model: &Model, channels: usize) -> f64 {
    let bytes = match model.train.precision {
        Precision::F32 => 4.0,
        Precision::Bf16 => 2.0,
    };
    PASSES * bytes * model.train.micro_batch as f64 * model.context as f64 * channels as f64
}

/// Bytes per micro-batch for a vector on weights of `entries` entries.
fn traffic_on_weights(entries: usize) -> f64 {
    PASSES * BYTES_OF_WEIGHT * entries as f64
}

/// The entries of the weights of a linear map.
fn entries(node: Option<&Node>, region: &crate::Region) -> usize {
    let Some(node) = node else { return 0 };
    let input = node.inputs.first().and_then(|input| region.nodes.get(input.0));
    input.map_or(0, |input| dim::num_elements(&input.dims)) * dim::num_elements(&node.dims)
}

/// All that reads the value, if all of it is linear maps whose columns are free.
fn columns(region: &crate::Region, value: ValueId) -> Option<Vec<ValueId>> {
    let maps = readers(region, value);
    let is_free = |map: &ValueId| {
        linear(region.nodes.get(map.0))
            .is_some_and(|linear| linear.projections.iter().all(|p| p.column_scale.is_none()))
    };
    (!maps.is_empty() && !is_output(region, value) && maps.iter().all(is_free)).then_some(maps)
}

/// The linear map that produces what the node multiplies, if nothing else reads it and its rows are free.
fn rows(region: &crate::Region, value: ValueId) -> Option<ValueId> {
    let input = *region.nodes.get(value.0)?.inputs.first()?;
    let [projection] = linear(region.nodes.get(input.0))?.projections.as_slice() else { return None };
    let is_only_reader = readers(region, input) == [value] && !is_output(region, input);
    (projection.row_scale.is_none() && is_only_reader).then_some(input)
}

fn linear(node: Option<&Node>) -> Option<&Linear> {
    node?.op.as_linear()
}

/// Moves the vector and leaves its node dead.
fn perform(model: &mut Model, region: RegionId, value: ValueId, to: &Move) -> Option<String> {
    let region = model.regions.get_mut(region.0)?;
    let node = region.nodes.get(value.0)?;
    let Op::Scale(crate::op::Scale { scale }) = node.op else { return None };
    let input = *node.inputs.first()?;
    let path = &model.scales.get(scale.0)?.path;
    let (side, maps) = match to {
        Move::Columns(maps) => ("columns", maps.as_slice()),
        Move::Rows(map) => ("rows", std::slice::from_ref(map)),
    };
    let mut names = Vec::new();
    for map in maps {
        let node = region.nodes.get_mut(map.0)?;
        names.push(format!("`{}`", node.name));
        set(node, to, scale);
    }
    redirect(region, value, input);
    Some(format!("`{path}` multiplies the {side} of {}", names.join(", ")))
}

fn set(node: &mut Node, to: &Move, scale: ScaleId) {
    let Op::Linear(linear) = &mut node.op else { return };
    for projection in &mut linear.projections {
        match to {
            Move::Columns(_) => projection.column_scale = Some(scale),
            Move::Rows(_) => projection.row_scale = Some(scale),
        }
    }
}
