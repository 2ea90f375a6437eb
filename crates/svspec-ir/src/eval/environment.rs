//! What an op sees while it is evaluated.

use super::Tensor;
use crate::{Instance, Model};
use std::collections::BTreeMap;

/// A tensor for each instance of a model.
pub type Values = BTreeMap<Instance, Tensor>;

/// The gradient of each instance met so far; absent means zero.
pub type Gradients = BTreeMap<Instance, Tensor>;

/// The model, its parameters and the layer that is being evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its parameters.
    pub values: &'a Values,
    /// The depth in the stack; `None` outside it.
    pub layer: Option<usize>,
    /// Token ids `[batch, time]`.
    pub tokens: &'a Tensor,
    /// Token ids to predict `[batch, time]`.
    pub targets: &'a Tensor,
    /// The previous region's output; `None` in the first region.
    pub carried: Option<&'a Tensor>,
}
