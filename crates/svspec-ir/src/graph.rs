//! The data-flow graph. A model is regions in sequence, each in static single assignment form:
//! one `Embed`, the layers of the stack (each an instance of a layer kind), one `Head`, one `Loss`.

use crate::{Dims, Op};
use serde::Serialize;
use svspec_diagnostics::Span;

/// Names a [`Region`] of a model: its index in `Model::regions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RegionId(pub usize);

/// Names the result of a [`Node`]: its index in `Region::nodes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ValueId(pub usize);

/// Names a side value of a model: its index in `Model::side_values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SideId(pub usize);

/// What a region is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionKind {
    /// Tokens to the residual stream.
    Embed,
    /// Residual stream to residual stream; repeated in the stack.
    Layer,
    /// Residual stream to logits.
    Head,
    /// Logits and targets to the loss per token.
    Loss,
}

/// A straight line of nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Region {
    /// `embed`, the layer kind's name, `head`, `loss`.
    pub name: String,
    /// Of a layer, the name that it is declared by: kinds that differ in sizes alone share it. Else the same.
    pub family: String,
    /// What it is for.
    pub kind: RegionKind,
    /// In an order in which every node follows its inputs.
    pub nodes: Vec<Node>,
    /// The value handed to the next region.
    pub output: ValueId,
    /// Values of a layer that the loss region reads, those of all layers together.
    pub side: Vec<SideValue>,
    /// Of the loss region what is minimised beside its output.
    pub losses: Vec<SideLoss>,
}

/// A value that leaves a layer beside the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SideValue {
    /// What it is, in whatever layer.
    pub id: SideId,
    /// Which value it is here.
    pub value: ValueId,
}

/// A loss beside the cross-entropy: a training step minimises the cross-entropy and `coefficient` times the mean of
/// `value`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SideLoss {
    /// `experts.balance`, for logs.
    pub name: String,
    /// The value in the loss region.
    pub value: ValueId,
    /// What it counts.
    pub coefficient: f64,
}

impl Region {
    /// Whether `value` leaves the region.
    pub fn hands_on(&self, value: ValueId) -> bool {
        self.results().any(|result| result == value)
    }

    /// Whether `value` is read, and by matrix products alone.
    pub fn is_for_products(&self, value: ValueId) -> bool {
        let mut readers = self.nodes.iter().filter(|node| node.inputs.contains(&value)).peekable();
        let is_read = readers.peek().is_some();
        is_read && !self.hands_on(value) && readers.all(|node| matches!(node.op, Op::Linear(_)))
    }

    /// Whether a pass through the layer leaves more than the residual stream: what the losses read, or its load.
    pub fn leaves_more(&self) -> bool {
        !self.side.is_empty() || (self.kind == RegionKind::Layer && self.moves_correction())
    }

    /// Whether a choice in it is corrected by its load.
    pub fn moves_correction(&self) -> bool {
        let is_moved = |node: &Node| {
            let Op::Choose(op) = &node.op else { return false };
            op.correction.is_some_and(|correction| correction.rate > 0.0)
        };
        self.nodes.iter().any(is_moved)
    }

    /// The values that leave the region.
    pub fn results(&self) -> impl Iterator<Item = ValueId> {
        let side = self.side.iter().map(|side| side.value);
        std::iter::once(self.output).chain(side).chain(self.losses.iter().map(|loss| loss.value))
    }
}

/// One application of an op.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// A name for the result, unique in its region, fit for a Rust variable: `attn_q`, `x_1`.
    pub name: String,
    /// What is applied.
    pub op: Op,
    /// To what.
    pub inputs: Vec<ValueId>,
    /// The result's dimensions after `[batch, time]`.
    pub dims: Dims,
    /// The part it belongs to, such as `attn` or `attn.q`; empty for residual arithmetic.
    pub part: String,
    /// The statement it comes from.
    #[serde(skip)]
    pub span: Span,
}

/// A number that may differ from layer to layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PerLayer {
    /// The same everywhere.
    Uniform(f64),
    /// One for each layer of the stack, by its index from 0; entries of layers of another kind are unused.
    Each(Vec<f64>),
}

impl PerLayer {
    /// The value in layer `layer`; outside the stack `layer` is `None` and the value is uniform.
    pub fn at(&self, layer: Option<usize>) -> f64 {
        match self {
            Self::Uniform(value) => *value,
            Self::Each(values) => layer.and_then(|layer| values.get(layer)).copied().unwrap_or(f64::NAN),
        }
    }

    /// `apply` to the value of every layer.
    #[must_use]
    pub fn map(&self, apply: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Uniform(value) => Self::Uniform(apply(*value)),
            Self::Each(values) => Self::Each(values.iter().map(|&value| apply(value)).collect()),
        }
    }

    /// Its number, if all layers have the same.
    pub fn uniform(&self) -> Option<f64> {
        match self {
            Self::Uniform(value) => Some(*value),
            Self::Each(_) => None,
        }
    }
}

impl From<f64> for PerLayer {
    fn from(value: f64) -> Self {
        Self::Uniform(value)
    }
}
