//! `move_scale_to_weights`: `W (γ ⊙ x)` becomes `(W diag(γ)) x`, and `γ ⊙ (W x)` becomes `(diag(γ) W) x`, where that is
//! less to read and write. Ops that commute with γ may stand between it and the columns: attention between the values
//! and its output map, the product between `up` and `down`.
//!
//! The weight itself stays as it is: γ multiplies a copy at this use, once per micro-batch. So a weight that is used
//! elsewhere, such as a tied embedding's table, keeps its meaning there.
//!
//! The two costs, in bytes per micro-batch, forward and backward. On activations: forward reads x and writes γ ⊙ x;
//! backward reads the gradient and writes x's, and reads the gradient and x for γ's: `6 · batch · time · channels`
//! values of the activation type, which is f32 beside a vector in f32. On weights: the same six passes over `Σ out · in`
//! entries of f32, the sum over the linear maps that take γ. Moving also spares the copy of γ ⊙ x that autograd keeps,
//! and lets maps of one value that differ in γ only share one matrix product.

use super::region::{is_output, readers, redirect, sweep};
use crate::op::{Linear, Passage};
use crate::{Dim, Model, Node, Op, Precision, Region, RegionId, RegionKind, ScaleId, ValueId, cost, dim};
use std::collections::BTreeSet;

const PASSES: f64 = 6.0;
const BYTES_OF_WEIGHT: f64 = 4.0;

/// Moves each scale vector of the region onto the weights beside it, if they can take it and that costs less. The last
/// goes first, so that of two that want the same columns the nearer gets them.
pub(super) fn apply(model: &mut Model, region: RegionId) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some((value, to)) = last_move(model, region) {
        let Some(line) = perform(model, region, value, &to) else { break };
        lines.push(line);
    }
    lines.reverse();
    lines
}

fn last_move(model: &Model, region: RegionId) -> Option<(ValueId, Move)> {
    let num_nodes = model.regions.get(region.0).map_or(0, |region| region.nodes.len());
    let mut values = (0..num_nodes).rev().map(ValueId);
    values.find_map(|value| cheapest(model, region, value).map(|to| (value, to)))
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
    let Op::Scale(crate::op::Scale { scale }) = node.op else { return None };
    let entries_of =
        |maps: &[ValueId]| -> usize { maps.iter().map(|map| entries(region.nodes.get(map.0), region)).sum() };
    let columns = columns(model, region, value, scale).map(|maps| (entries_of(&maps), Move::Columns(maps)));
    let rows = rows(region, value).map(|map| (entries_of(&[map]), Move::Rows(map)));
    // Of equal costs the rows: a weight whose output is scaled often has scaled columns, and is copied already.
    let (entries, to) = rows.into_iter().chain(columns).min_by_key(|(entries, _)| *entries)?;
    let values = dim::num_elements(&node.dims);
    let on_weights = num_chunks(model, region) * traffic_on_weights(entries);
    (on_weights < traffic_on_activations(model, values)).then_some(to)
}

/// Bytes per micro-batch for a vector on `channels` channels of every token.
fn traffic_on_activations(model: &Model, channels: usize) -> f64 {
    let bytes = match model.train.precision {
        Precision::F32 | Precision::Bf16 => 4.0,
        Precision::Bf16Stochastic => 2.0,
    };
    PASSES * bytes * model.train.micro_batch as f64 * model.context as f64 * channels as f64
}

/// Bytes per micro-batch for a vector on weights of `entries` entries.
fn traffic_on_weights(entries: usize) -> f64 {
    PASSES * BYTES_OF_WEIGHT * entries as f64
}

/// How often a micro-batch passes a region: the head once for each chunk of the loss.
fn num_chunks(model: &Model, region: &Region) -> f64 {
    let tokens = model.train.micro_batch * model.context as u64;
    let chunk = (region.kind == RegionKind::Head).then(|| cost::loss_chunk(model)).flatten();
    chunk.map_or(1.0, |chunk| tokens.div_ceil(chunk) as f64)
}

/// The entries of the weights of a linear map.
fn entries(node: Option<&Node>, region: &Region) -> usize {
    let Some(node) = node else { return 0 };
    let input = node.inputs.first().and_then(|input| region.nodes.get(input.0));
    input.map_or(0, |input| dim::num_elements(&input.dims)) * dim::num_elements(&node.dims)
}

/// The linear maps whose columns γ reaches, if it reaches nothing else, each of them once, and all of them can take it.
fn columns(model: &Model, region: &Region, value: ValueId, scale: ScaleId) -> Option<Vec<ValueId>> {
    let gamma = dim::sizes(&model.scales.get(scale.0)?.dims);
    let dims = |value: &ValueId| region.nodes.get(value.0).map_or(&[][..], |node| node.dims.as_slice());
    let mut maps = BTreeSet::new();
    let mut passed = BTreeSet::new();
    let entries = dim::broadcast_channels(&gamma, &dim::sizes(dims(&value)));
    let mut pending = vec![(value, entries.into_iter().map(Some).collect::<Vec<_>>())];
    while let Some((value, channels)) = pending.pop() {
        if is_output(region, value) {
            return None;
        }
        for reader in readers(region, value) {
            let node = region.nodes.get(reader.0)?;
            let inputs: Vec<&[Dim]> = node.inputs.iter().map(dims).collect();
            let mut positions = node.inputs.iter().enumerate().filter(|(_, input)| **input == value);
            let (index, _) = positions.next()?;
            let is_first = passed.insert(reader) && positions.next().is_none();
            match node.op.operation().pass_scale(model, index, &channels, &inputs) {
                Passage::Through(channels) if channels.iter().all(Option::is_none) => {}
                Passage::Through(channels) if is_first => pending.push((reader, channels)),
                Passage::Absorbed if is_first && takes(node, &gamma, dims(&value), &channels) => {
                    maps.insert(reader);
                }
                Passage::Through(_) | Passage::Absorbed | Passage::Blocked(_) => return None,
            }
        }
    }
    (!maps.is_empty()).then(|| maps.into_iter().collect())
}

/// Whether the columns are free, and γ laid out along them meets the channels that it must.
fn takes(node: &Node, gamma: &[usize], input: &[Dim], channels: &[Option<usize>]) -> bool {
    let input = dim::sizes(input);
    let is_free =
        linear(Some(node)).is_some_and(|linear| linear.projections.iter().all(|p| p.column_scale.is_none()));
    is_free
        && dim::broadcasts(gamma, &input)
        && dim::broadcast_channels(gamma, &input).into_iter().map(Some).eq(channels.iter().copied())
}

/// The linear map that produces what the node multiplies, if nothing else reads it and its rows are free.
fn rows(region: &Region, value: ValueId) -> Option<ValueId> {
    let input = *region.nodes.get(value.0)?.inputs.first()?;
    let [projection] = linear(region.nodes.get(input.0))?.projections.as_slice() else { return None };
    let is_only_reader = readers(region, input) == [value] && !is_output(region, input);
    (projection.row_scale.is_none() && is_only_reader).then_some(input)
}

fn linear(node: Option<&Node>) -> Option<&Linear> {
    node?.op.as_linear()
}

/// Moves the vector and removes its node.
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
    sweep(region);
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
