//! A training step of the generated crate, from the first micro-batch's tokens to its last gradient, in a ledger.
//!
//! What takes memory follows the generated code and LibTorch's autograd on the CPU: a layer's values last until its forward pass is
//! over, and those that derivatives read until these are done; a layer that is recomputed keeps its input, and does both passes when
//! its turn comes; the loss by chunks does both passes of each, and keeps the gradients.

mod documents;
mod kept;
mod ledger;
mod tape;
mod values;

pub use ledger::Held;

use super::chunk::loss_chunk;
use super::recompute::is_recomputed;
use super::repeats;
use crate::op::memory::F32;
use crate::{Assignment, Model, Param, Region, RegionId, RegionKind, dim};
use ledger::{Ledger, Purpose};
use tape::Tape;
use values::weight_width;

/// What is held when it is most.
pub fn most(model: &Model, assignments: &[Assignment]) -> Held {
    let mut ledger = Ledger::default();
    let num_entries = num_entries(model);
    let width = weight_width(model);
    ledger.take(Purpose::Weights, width * num_entries);
    ledger.take(Purpose::Optimizer, width * remembered(model, assignments));
    let is_summed = model.train.micro_batch < model.train.batch;
    if is_summed {
        // The sums over the micro-batches before.
        ledger.take(Purpose::Gradients, F32 * num_entries);
    }
    micro_batch(model, &mut ledger);
    if width < F32 {
        if is_summed {
            // The last micro-batch's, to be added.
            ledger.pass(Purpose::Gradients, F32 * num_entries);
            ledger.give(Purpose::Gradients, width * num_entries);
        }
        // The largest tensor, its gradient and two moments, for a step in f32.
        let largest = model.params.iter().map(|param| dim::num_elements(&param.dims) as u128).max();
        ledger.pass(Purpose::Working, 4 * F32 * largest.unwrap_or(0));
    }
    ledger.most()
}

fn num_entries(model: &Model) -> u128 {
    let entries = |param: &Param| (repeats(model, param.region) * dim::num_elements(&param.dims)) as u128;
    model.params.iter().map(entries).sum()
}

/// The numbers that the optimizer keeps from step to step.
fn remembered(model: &Model, assignments: &[Assignment]) -> u128 {
    let of_tensor = |assignment: &Assignment| {
        let param = model.params.get(assignment.instance.param.0);
        let entries = param.map_or(0, |param| dim::num_elements(&param.dims));
        (assignment.algorithm.num_memories(&model.optimizer) * entries) as u128
    };
    assignments.iter().map(of_tensor).sum()
}

/// One layer of the stack as it lies between both passes.
struct Passed<'a> {
    tape: Tape<'a>,
    is_recomputed: bool,
    /// The bytes of its input, if they are held until its backward pass is over.
    input: u128,
}

/// What is held at the end of the stack's forward pass, all tensors being AdamW's.
pub fn before_the_loss(model: &Model) -> u128 {
    let mut ledger = Ledger::default();
    let num_entries = num_entries(model);
    // Weights, two moments, and the gradients for which there must be room too.
    ledger.take(Purpose::Weights, 4 * weight_width(model) * num_entries);
    forward(model, &mut ledger);
    ledger.now().total()
}

/// The tapes of a micro-batch after the stack's forward pass.
struct Forward<'a> {
    embed: Option<Tape<'a>>,
    layers: Vec<Passed<'a>>,
    /// The bytes that the last layer hands on, and whether its derivative reads them.
    carried: (u128, bool),
}

fn num_tokens(model: &Model) -> u128 {
    u128::from(model.train.micro_batch) * model.context as u128
}

fn region_of(model: &Model, kind: RegionKind) -> Option<Found<'_>> {
    let mut regions = model.regions.iter().enumerate().map(|(index, region)| (RegionId(index), region));
    regions.find(|(_, region)| region.kind == kind)
}

fn forward<'a>(model: &'a Model, ledger: &mut Ledger) -> Forward<'a> {
    let tokens = num_tokens(model);
    // Token ids and targets, 64-bit.
    ledger.take(Purpose::Working, 2 * 8 * tokens);
    documents::masks(model, ledger);
    let embed = region_of(model, RegionKind::Embed).map(|(id, region)| Tape::new(model, id, region, tokens));
    if let Some(embed) = &embed {
        embed.forward(ledger);
    }
    let mut carried =
        (embed.as_ref().map_or(0, Tape::output), embed.as_ref().is_some_and(Tape::keeps_output));
    let mut layers: Vec<Passed<'_>> = Vec::new();
    let of_stack = model.stack.iter().filter_map(|&id| Some((id, model.regions.get(id.0)?)));
    for (depth, (id, region)) in of_stack.enumerate() {
        let tape = Tape::new(model, id, region, tokens);
        let is_recomputed = is_recomputed(model, depth);
        tape.forward(ledger);
        if is_recomputed {
            tape.forget(ledger);
        }
        let (bytes, is_kept) = carried;
        let input = pass_on(bytes, is_kept || is_recomputed || tape.keeps_carried(), ledger);
        carried = (tape.output(), !is_recomputed && tape.keeps_output());
        layers.push(Passed { tape, is_recomputed, input });
    }
    Forward { embed, layers, carried }
}

fn micro_batch(model: &Model, ledger: &mut Ledger) {
    let Forward { embed, layers, carried } = forward(model, ledger);
    let ends = (region_of(model, RegionKind::Head), region_of(model, RegionKind::Loss));
    if let (Some(head), Some(loss)) = ends {
        match loss_chunk(model) {
            None => at_once(model, (head, loss), carried, ledger),
            Some(chunk) => by_chunks(model, (head, loss), u128::from(chunk), carried.0, ledger),
        }
    }
    for layer in layers.iter().rev() {
        backward(layer, ledger);
    }
    if let Some(embed) = &embed {
        embed.backward(ledger);
    }
}

/// The input of a region after its forward pass: kept for the backward pass, or given back. The bytes that are kept.
fn pass_on(bytes: u128, is_kept: bool, ledger: &mut Ledger) -> u128 {
    if is_kept {
        ledger.turn(Purpose::Working, Purpose::Activations, bytes);
        bytes
    } else {
        ledger.give(Purpose::Working, bytes);
        0
    }
}

fn backward(layer: &Passed<'_>, ledger: &mut Ledger) {
    let Passed { tape, is_recomputed, input } = layer;
    if *is_recomputed {
        // Its output, and the gradient of that, are there until the pass is over.
        tape.forward(ledger);
        ledger.take(Purpose::Working, tape.output());
        tape.backward(ledger);
        ledger.give(Purpose::Working, 2 * tape.output());
    } else {
        tape.backward(ledger);
    }
    ledger.give(Purpose::Activations, *input);
}

type Found<'a> = (RegionId, &'a Region);

/// Head and loss of all tokens, both passes.
fn at_once(
    model: &Model,
    (head, loss): (Found<'_>, Found<'_>),
    (carried, is_kept): (u128, bool),
    ledger: &mut Ledger,
) {
    let head = Tape::new(model, head.0, head.1, num_tokens(model));
    let loss = Tape::new(model, loss.0, loss.1, num_tokens(model));
    head.forward(ledger);
    let input = pass_on(carried, is_kept || head.keeps_carried(), ledger);
    both_ends(&head, &loss, ledger);
    ledger.give(Purpose::Activations, input);
}

/// Head and loss of each chunk, both passes; what is left is the gradient of all that entered.
fn by_chunks(
    model: &Model,
    (head, loss): (Found<'_>, Found<'_>),
    chunk: u128,
    carried: u128,
    ledger: &mut Ledger,
) {
    let head = Tape::new(model, head.0, head.1, chunk);
    let loss = Tape::new(model, loss.0, loss.1, chunk);
    ledger.take(Purpose::Working, carried);
    head.forward(ledger);
    let of_first = both_ends(&head, &loss, ledger);
    ledger.give(Purpose::Working, of_first.entering);
    // The gradients of the second chunk stand beside the first's before they are added.
    head.forward(ledger);
    let of_second = both_ends(&head, &loss, ledger);
    ledger.give(Purpose::Working, of_second.entering);
    ledger.give(Purpose::Gradients, of_second.of_params);
    ledger.give(Purpose::Working, carried);
}

/// Bytes of gradients.
struct Gradients {
    entering: u128,
    of_params: u128,
}

/// The loss after the head's forward pass, and the backward pass of both.
fn both_ends(head: &Tape<'_>, loss: &Tape<'_>, ledger: &mut Ledger) -> Gradients {
    loss.forward(ledger);
    // Nothing reads the logits any more, unless the head keeps them.
    if !head.keeps_output() {
        ledger.give(Purpose::Logits, head.output());
    }
    loss.backward(ledger);
    let of_params = head.backward(ledger);
    if head.keeps_output() {
        ledger.give(Purpose::Logits, head.output());
    }
    Gradients { entering: head.input(), of_params }
}
