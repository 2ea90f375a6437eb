//! What an op takes of memory beyond its inputs and its result: as LibTorch's operators do on the CPU.

use crate::{Dim, Model, ParamId, dim};
use std::collections::BTreeSet;

/// Bytes of an f32.
pub const F32: u128 = 4;
/// Bytes of a bf16.
pub const BF16: u128 = 2;

/// What the entries of a result are where products are computed in bf16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// What the first input's are.
    Input,
    /// What the widest input's are.
    WidestInput,
    /// What the weights are.
    Weights,
    /// What the first input's are, or the weights', if they are wider.
    InputOrWeights,
    /// bf16: a matrix product.
    Bf16,
    /// bf16 where matrix products alone read it, else f32, whatever is read.
    Bf16ForProducts,
    /// f32, whatever is read.
    F32,
}

/// One node at work on so many tokens.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The model.
    pub model: &'a Model,
    /// The result's dimensions.
    pub dims: &'a [Dim],
    /// How many tokens.
    pub tokens: u128,
    /// Entries of the first input, of all tokens.
    pub in_entries: u128,
    /// Their bytes.
    pub in_bytes: u128,
    /// Bytes of the result, of all tokens.
    pub out_bytes: u128,
    /// Bytes of the first input's copy in f32; 0 if it is f32 itself.
    pub widened: u128,
}

impl Work<'_> {
    /// Entries of a parameter.
    pub fn param_entries(&self, param: ParamId) -> u128 {
        self.model.params.get(param.0).map_or(0, |param| dim::num_elements(&param.dims)) as u128
    }

    /// Bytes of the result for the tokens of one sequence, in f32.
    pub fn of_sequence(&self) -> u128 {
        F32 * self.model.context as u128 * (self.out_bytes / self.tokens.max(1) / F32)
    }
}

/// What a node keeps for its derivative, and what its operators take besides while they run; bytes.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The roots of values that the derivative reads.
    pub roots: BTreeSet<usize>,
    /// What it keeps besides: statistics, inner results, casts of its inputs.
    pub own: u128,
    /// Copies of weights that it keeps.
    pub weight_copies: u128,
    /// Taken while its forward pass runs.
    pub forward: u128,
    /// Taken while its backward pass runs, gradients of its inputs aside.
    pub backward: u128,
}
