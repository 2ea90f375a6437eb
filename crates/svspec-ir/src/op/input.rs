//! What a region is given.

use super::{Cost, Operation, Origin, Passage, Reading, ResultKind};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, RegionKind, SideId, ValueId};
use serde::Serialize;

/// A value from outside the region. Output: as the kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Token ids `[batch, time]`.
    Tokens,
    /// The previous region's output.
    Carried,
    /// The token ids to predict `[batch, time]`.
    Targets,
    /// A side value of all layers that have it, in the order of the stack, as more sequences.
    Collected(SideId),
}

impl Operation for Input {
    fn name(&self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Carried => "carried",
            Self::Targets => "targets",
            Self::Collected(_) => "collected",
        }
    }

    /// Of a carried value, the residual stream's dimensions; the loss region is the one that carries another, the
    /// head's output.
    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("an input")
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [] = super::arity(inputs)?;
        Ok(match self {
            Self::Tokens | Self::Targets => Dims::new(),
            Self::Carried => vec![Dim::new("width", model.width)],
            Self::Collected(id) => collected_dims(model, *id).ok_or("no layer leaves it")?,
        })
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], _: &[Dim]) -> Cost {
        Cost::default()
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn mixes_tokens(&self) -> bool {
        matches!(self, Self::Tokens)
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::Weights
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("a region's input, which reads nothing".to_owned())
    }

    fn pull_scale(&self, _: &Model, _: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Blocked("comes from another block".to_owned())
    }

    fn eval(&self, env: &Environment<'_>, _: &[&Tensor]) -> Tensor {
        match self {
            Self::Tokens => env.tokens.clone(),
            Self::Targets => env.targets.clone(),
            Self::Carried => env.carried.cloned().expect("a region before this one hands a value on"),
            Self::Collected(id) => {
                env.collected.get(id.0).cloned().expect("the layers leave every side value")
            }
        }
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        _: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        Vec::new()
    }
}

/// The dimensions of a side value in the layers.
fn collected_dims(model: &Model, id: SideId) -> Option<Dims> {
    let mut layers = model.regions.iter().filter(|region| region.kind == RegionKind::Layer);
    layers.find_map(|region| {
        let ValueId(value) = region.side.iter().find(|side| side.id == id)?.value;
        region.nodes.get(value).map(|node| node.dims.clone())
    })
}
