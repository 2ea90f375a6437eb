//! What an op sees while it is evaluated.

use super::Tensor;
use crate::{Instance, Model, ParamId, ScaleId, scale};
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
    /// In the loss region each side value, of all layers that have it, as more sequences.
    pub collected: &'a [Tensor],
}

impl<'a> Environment<'a> {
    /// The tensor that a template stands for here.
    pub fn instance(&self, param: ParamId) -> Instance {
        self.model.instance(param, self.layer)
    }

    /// A parameter's value here.
    ///
    /// # Panics
    /// If `values` lacks it.
    pub fn value(&self, param: ParamId) -> &'a Tensor {
        self.values.get(&self.instance(param)).expect("values holds every tensor of the model")
    }

    /// γ here.
    pub fn gamma(&self, scale: ScaleId) -> Tensor {
        scale::gamma(self.model, scale, self.layer, self.values)
    }

    /// Adds what γ's gradient says of its parameters to `gradients`.
    pub fn gamma_vjp(&self, scale: ScaleId, gradient: &Tensor, gradients: &mut Gradients) {
        scale::gamma_vjp(self.model, scale, self.layer, self.values, gradient, gradients);
    }
}

/// Adds `gradient` to what is known of `instance`.
pub fn accumulate(gradients: &mut Gradients, instance: Instance, gradient: Tensor) {
    match gradients.get_mut(&instance) {
        Some(sum) => sum.add_assign(&gradient),
        None => {
            gradients.insert(instance, gradient);
        }
    }
}
