//! Whole models: parameters and tokens in; logits, loss and the gradient of every parameter out.

use super::{Environment, Gradients, Tensor, Values};
use crate::{Model, Region, RegionId, RegionKind, ValueId};

/// What a model makes of some tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// The head's output, `[batch, time, vocab]`.
    pub logits: Tensor,
    /// The loss of each token, `[batch, time]`, in nats.
    pub token_losses: Tensor,
    /// Its mean.
    pub loss: f64,
}

/// One region as it was run: its layer, what it was given, and the value of each node.
struct Trace<'a> {
    region: &'a Region,
    layer: Option<usize>,
    carried: Option<Tensor>,
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
    Forward { logits: output(RegionKind::Head), token_losses, loss }
}

/// The mean loss, and its gradient by every parameter that it depends on, from the ops' own derivatives.
///
/// # Panics
/// As [`forward`].
pub fn gradients(model: &Model, values: &Values, tokens: &Tensor, targets: &Tensor) -> (f64, Gradients) {
    let traces = run(model, values, tokens, targets);
    let losses = traces.last().expect("a model has regions").output();
    let mut gradient = Tensor::filled(&losses.shape, 1.0 / losses.data.len() as f64);
    let mut gradients = Gradients::new();
    for trace in traces.iter().rev() {
        let carried = trace.carried.as_ref();
        let env = Environment { model, values, layer: trace.layer, tokens, targets, carried };
        match backward(&env, trace, gradient, &mut gradients) {
            Some(carried) => gradient = carried,
            None => break,
        }
    }
    (losses.mean(), gradients)
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
        let mut trace = Trace { region, layer, carried, values: Vec::new() };
        for node in &region.nodes {
            let carried = trace.carried.as_ref();
            let env = Environment { model, values, layer, tokens, targets, carried };
            let value = node.op.operation().eval(&env, &trace.inputs(&node.inputs));
            trace.values.push(value);
        }
        traces.push(trace);
    }
    traces
}

/// The gradient of what the region was given, if it reads it.
fn backward(
    env: &Environment<'_>,
    trace: &Trace<'_>,
    gradient: Tensor,
    gradients: &mut Gradients,
) -> Option<Tensor> {
    let mut of_nodes: Vec<Option<Tensor>> = vec![None; trace.values.len()];
    let mut of_carried: Option<Tensor> = None;
    *of_nodes.get_mut(trace.region.output.0)? = Some(gradient);
    for (index, node) in trace.region.nodes.iter().enumerate().rev() {
        let Some(gradient) = of_nodes.get_mut(index).and_then(Option::take) else { continue };
        if node.op == crate::Op::Input(crate::op::Input::Carried) {
            add(&mut of_carried, gradient);
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
