//! Parameters at step 0, and random ones: a model in, a tensor for each of its instances out.

use super::{Random, Tensor, Values};
use crate::{Assignment, Init, Model, dim};

/// The parameters as the rules start them; an instance that `assignments` leaves out starts at its default.
pub fn initial_values(model: &Model, assignments: &[Assignment], seed: u64) -> Values {
    let mut random = Random::new(seed);
    fill(model, assignments, |init| draw(init, &mut random))
}

/// Parameters as of a model in training: each entry is its default init plus normal noise of standard deviation 0.1, so
/// that no scale vector is the identity and no bias is 0.
pub fn random_values(model: &Model, seed: u64) -> Values {
    let mut random = Random::new(seed);
    fill(model, &[], |init| draw(init, &mut random) + 0.1 * random.normal())
}

/// Random token ids `[batch, time]` of the model's vocabulary.
pub fn random_tokens(model: &Model, batch: usize, time: usize, seed: u64) -> Tensor {
    let mut random = Random::new(seed);
    let data = (0..batch * time).map(|_| random.below(model.vocab) as f64).collect();
    Tensor::new(vec![batch, time], data)
}

fn draw(init: Init, random: &mut Random) -> f64 {
    match init {
        Init::Normal { std } => std * random.normal(),
        Init::TruncatedNormal { std } => std * random.truncated_normal(),
        Init::Uniform { bound } => bound * (2.0 * random.uniform() - 1.0),
        Init::Constant(value) => value,
    }
}

fn fill(model: &Model, assignments: &[Assignment], mut entry: impl FnMut(Init) -> f64) -> Values {
    let mut values = Values::new();
    for instance in model.instances() {
        let Some(param) = model.params.get(instance.param.0) else { continue };
        let assigned = assignments.iter().find(|assignment| assignment.instance == instance);
        let init =
            assigned.map_or_else(|| param.default_init.at(instance.layer), |assignment| assignment.init);
        let shape = dim::sizes(&param.dims);
        let data = (0..shape.iter().product()).map(|_| entry(init)).collect();
        let mut tensor = Tensor::new(shape, data);
        let unit = assigned.and_then(|assignment| assignment.unit);
        if let Some(axes) = unit.and_then(|unit| unit.axes(param)) {
            tensor.normalize(axes);
        }
        values.insert(instance, tensor);
    }
    values
}
