//! Whole models: parameters and tokens in; logits, loss and the gradient of every parameter out.

use super::{Environment, Gradients, Tensor, Values};
use crate::op::Input;
use crate::{Model, Op, Region, RegionId, RegionKind, SideId, SideLoss, ValueId};

/// What a model makes of some tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// The head's output, `[batch, time, vocab]`.
    pub logits: Tensor,
    /// The loss of each token, `[batch, time]`, in nats.
    pub token_losses: Tensor,
    /// Its mean.
    pub loss: f64,
    /// The value of each of the model's side losses, without its coefficient.
    pub side_losses: Vec<f64>,
}

impl Forward {
    /// What a training step minimises: the loss, and each side loss of `model` by its coefficient.
    pub fn minimised(&self, model: &Model) -> f64 {
        let side = model.side_losses().iter().zip(&self.side_losses);
        self.loss + side.map(|(side, value)| side.coefficient * value).sum::<f64>()
    }
}

/// One region as it was run: its layer, what it was given, and the value of each node.
struct Trace<'a> {
    region: &'a Region,
    layer: Option<usize>,
    carried: Option<Tensor>,
    collected: Vec<Tensor>,
    values: Vec<Tensor>,
}

/// The logits and the loss.
///
/// # Panics
/// If the model is not a valid one or `values` lacks a tensor.
pub fn forward(model: &Model, values: &Values, tokens: &Tensor, targets: &Tensor) -> Forward {
    let traces = run(model, values, tokens, targets);
    let output = |kind: RegionKind| {
        let trace = traces.iter().rfind(|trace| trace.region.kind == kind);
        trace.map(|trace| trace.output().clone()).expect("a model has a head and a loss")
    };
    let token_losses = output(RegionKind::Loss);
    let loss = token_losses.mean();
    let of_loss = traces.last().expect("a model has regions");
    let side_losses = model.side_losses().iter().map(|side| of_loss.value(side.value).mean()).collect();
    Forward { logits: output(RegionKind::Head), token_losses, loss, side_losses }
}

/// The mean loss; and of what is minimised, which is that and the side losses by their coefficients, the gradient by every
/// parameter that it depends on, from the ops' own derivatives.
///
/// # Panics
/// As [`forward`].
pub fn gradients(model: &Model, values: &Values, tokens: &Tensor, targets: &Tensor) -> (f64, Gradients) {
    let traces = run(model, values, tokens, targets);
    let loss = traces.last().expect("a model has regions");
    let of_mean = |value: ValueId, factor: f64| {
        let value = loss.value(value);
        Tensor::filled(&value.shape, factor / value.data.len() as f64)
    };
    let of_side = |side: &SideLoss| (side.value, of_mean(side.value, side.coefficient));
    let mut seeds: Vec<(ValueId, Tensor)> = model.side_losses().iter().map(of_side).collect();
    let mut of_output = Some(of_mean(loss.region.output, 1.0));
    // The gradient of each side value in the layers that were not met yet.
    let mut of_collected: Vec<Option<Tensor>> = vec![None; model.side_values.len()];
    let mut gradients = Gradients::new();
    for trace in traces.iter().rev() {
        let (carried, collected) = (trace.carried.as_ref(), &trace.collected);
        let env = Environment { model, values, layer: trace.layer, tokens, targets, carried, collected };
        seeds.extend(of_output.take().map(|gradient| (trace.region.output, gradient)));
        for side in &trace.region.side {
            let of_layers = of_collected.get_mut(side.id.0).and_then(Option::as_mut);
            let shape = &trace.value(side.value).shape;
            seeds.extend(of_layers.map(|of_layers| (side.value, take_last(of_layers, shape))));
        }
        let seeds = std::mem::take(&mut seeds);
        of_output = backward(&env, trace, seeds, &mut of_collected, &mut gradients);
    }
    (loss.output().mean(), gradients)
}

/// Takes as many of the last sequences out of `all` as `shape` has.
fn take_last(all: &mut Tensor, shape: &[usize]) -> Tensor {
    let num_left = all.data.len() - shape.iter().product::<usize>();
    if let (Some(sequences), Some(taken)) = (all.shape.first_mut(), shape.first()) {
        *sequences -= taken;
    }
    Tensor::new(shape.to_vec(), all.data.split_off(num_left))
}

impl Trace<'_> {
    fn value(&self, id: ValueId) -> &Tensor {
        self.values.get(id.0).expect("every node follows its inputs")
    }

    fn inputs(&self, ids: &[ValueId]) -> Vec<&Tensor> {
        ids.iter().map(|&id| self.value(id)).collect()
    }

    fn output(&self) -> &Tensor {
        self.value(self.region.output)
    }
}

/// The regions in the order they run, with the layer of each.
fn sequence(model: &Model) -> Vec<(&Region, Option<usize>)> {
    let of = |kind: RegionKind| {
        model.regions.iter().filter(move |region| region.kind == kind).map(|region| (region, None))
    };
    let region = |&id: &RegionId| model.regions.get(id.0).expect("the stack names regions of the model");
    let layers = model.stack.iter().enumerate().map(|(layer, id)| (region(id), Some(layer)));
    of(RegionKind::Embed).chain(layers).chain(of(RegionKind::Head)).chain(of(RegionKind::Loss)).collect()
}

fn run<'a>(model: &'a Model, values: &Values, tokens: &Tensor, targets: &Tensor) -> Vec<Trace<'a>> {
    let mut traces: Vec<Trace<'a>> = Vec::new();
    for (region, layer) in sequence(model) {
        let carried = traces.last().map(|trace| trace.output().clone());
        let collected = if region.kind == RegionKind::Loss { collect(model, &traces) } else { Vec::new() };
        let mut trace = Trace { region, layer, carried, collected, values: Vec::new() };
        for node in &region.nodes {
            let (carried, collected) = (trace.carried.as_ref(), &trace.collected);
            let env = Environment { model, values, layer, tokens, targets, carried, collected };
            let value = node.op.operation().eval(&env, &trace.inputs(&node.inputs));
            trace.values.push(value);
        }
        traces.push(trace);
    }
    traces
}

/// Each side value of all layers that have it, as more sequences.
fn collect(model: &Model, traces: &[Trace<'_>]) -> Vec<Tensor> {
    let of = |id: SideId| {
        let values = traces.iter().flat_map(|trace| {
            let sides = trace.region.side.iter().filter(move |side| side.id == id);
            sides.map(|side| trace.value(side.value))
        });
        let joined = values.cloned().reduce(|mut all, next| {
            if let (Some(sequences), Some(more)) = (all.shape.first_mut(), next.shape.first()) {
                *sequences += more;
            }
            all.data.extend(next.data);
            all
        });
        // A kind of layer that the stack leaves out hands nothing on.
        joined.unwrap_or_else(|| Tensor::zeros(&[0, 0]))
    };
    (0..model.side_values.len()).map(|id| of(SideId(id))).collect()
}

/// From the gradients of some of the region's values that of what it was given, if it reads it; those of side values go to
/// `of_collected`.
fn backward(
    env: &Environment<'_>,
    trace: &Trace<'_>,
    seeds: Vec<(ValueId, Tensor)>,
    of_collected: &mut [Option<Tensor>],
    gradients: &mut Gradients,
) -> Option<Tensor> {
    let mut of_nodes: Vec<Option<Tensor>> = vec![None; trace.values.len()];
    let mut of_carried: Option<Tensor> = None;
    for (value, gradient) in seeds {
        add(of_nodes.get_mut(value.0)?, gradient);
    }
    for (index, node) in trace.region.nodes.iter().enumerate().rev() {
        let Some(gradient) = of_nodes.get_mut(index).and_then(Option::take) else { continue };
        if let Op::Input(input) = node.op {
            match input {
                Input::Carried => add(&mut of_carried, gradient),
                Input::Collected(id) => add(of_collected.get_mut(id.0)?, gradient),
                Input::Tokens | Input::Targets => {}
            }
            continue;
        }
        let inputs = trace.inputs(&node.inputs);
        let output = trace.value(ValueId(index));
        let found = node.op.operation().vjp(env, &inputs, output, &gradient, gradients);
        for (input, gradient) in node.inputs.iter().zip(found) {
            if let (Some(sum), Some(gradient)) = (of_nodes.get_mut(input.0), gradient) {
                add(sum, gradient);
            }
        }
    }
    of_carried
}

fn add(sum: &mut Option<Tensor>, term: Tensor) {
    match sum {
        Some(sum) => sum.add_assign(&term),
        None => *sum = Some(term),
    }
}
