//! A spec's parameter table in, named tensors out: freshly initialised, or filled from a checkpoint.

use crate::ffi::TorchError;
use crate::random;
use crate::spec::{Algorithm, Init, Matrices, ParamRow, Spec, instance_name};
use crate::unit;
use std::collections::BTreeMap;
use std::convert::Infallible;
use tch::{Device, Kind, Tensor};

/// Where a truncated normal distribution ends, in standard deviations.
const TRUNCATED_AT: f64 = 3.0;

/// Every parameter of a model, in the table's order.
#[derive(Debug)]
pub struct Params {
    list: Vec<Param>,
    by_name: BTreeMap<String, usize>,
}

/// One named tensor.
#[derive(Debug)]
pub struct Param {
    /// `embed.weight`, `layers.3.attn.q.weight`.
    pub name: String,
    /// A leaf that requires a gradient.
    pub tensor: Tensor,
    /// The index of its group in the spec.
    pub group: usize,
    /// How Muon reads it.
    pub matrices: Matrices,
    /// The axes over which it is kept at norm 1.
    pub unit: Option<&'static [i64]>,
}

/// Why tensors are not a model's parameters.
#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    /// One is missing.
    #[error("there is no tensor `{0}`")]
    Missing(String),
    /// One has another shape.
    #[error("`{name}` has the shape {found:?}, and the model's has {wanted:?}")]
    Shape {
        /// Which.
        name: String,
        /// The shape it has.
        found: Vec<i64>,
        /// The shape it should have.
        wanted: Vec<i64>,
    },
}

impl ParamsError {
    /// Takes `name` out of `tensors`, if it is there with the shape `wanted`.
    pub fn expect(
        tensors: &mut BTreeMap<String, Tensor>,
        name: &str,
        wanted: &[i64],
    ) -> Result<Tensor, Self> {
        let tensor = tensors.remove(name).ok_or_else(|| Self::Missing(name.to_owned()))?;
        let found = tensor.size();
        if found == wanted {
            Ok(tensor)
        } else {
            Err(Self::Shape { name: name.to_owned(), found, wanted: wanted.to_owned() })
        }
    }
}

impl Params {
    /// The parameters at step 0. Each is drawn on the CPU from a stream of its own, named after it, so that two variants
    /// share the start of what they share, whatever the device.
    ///
    /// # Panics
    /// If a norm is to be 1 over axes that a parameter has not: a fault of the generator.
    pub fn init(spec: &Spec, seed: u64, device: Device) -> Self {
        let Ok(params) = Self::build(spec, |name, row| {
            tch::manual_seed(random::named(seed, name).cast_signed());
            Ok::<_, Infallible>(start(row).to_device(device))
        });
        params.normalize().expect("a norm over axes of its own");
        params
    }

    /// The parameters among `tensors`, which are taken out; each must be there and have its row's shape. Kinds are kept.
    pub fn take(
        spec: &Spec,
        tensors: &mut BTreeMap<String, Tensor>,
        device: Device,
    ) -> Result<Self, ParamsError> {
        Self::build(spec, |name, row| Ok(ParamsError::expect(tensors, name, row.shape)?.to_device(device)))
    }

    /// Copies as leaves of `kind`; what loads move stays as it is, since nothing rounds it.
    #[must_use]
    pub fn in_kind(mut self, spec: &Spec, kind: Kind) -> Self {
        let is_moved_by_loads = |param: &Param| {
            spec.groups.get(param.group).is_some_and(|group| matches!(group.algorithm, Algorithm::Load))
        };
        for param in self.list.iter_mut().filter(|param| !is_moved_by_loads(param)) {
            param.tensor = param.tensor.detach().to_dtype(kind, false, true).set_requires_grad(true);
        }
        self
    }

    fn build<E>(
        spec: &Spec,
        mut tensor: impl FnMut(&str, &ParamRow) -> Result<Tensor, E>,
    ) -> Result<Self, E> {
        let mut list = Vec::new();
        for row in spec.params {
            for layer in row.layers.instances() {
                let name = instance_name(row.path, layer);
                let tensor = tensor(&name, row)?.detach().set_requires_grad(true);
                let stated =
                    spec.matrices.iter().find(|stated| stated.path == row.path && stated.layers.holds(layer));
                let matrices = stated.map_or(Matrices::PLAIN, |stated| stated.matrices);
                let unit = spec.units.iter().find(|unit| unit.path == row.path && unit.layers.holds(layer));
                let unit = unit.map(|unit| unit.axes);
                list.push(Param { name, tensor, group: row.group, matrices, unit });
            }
        }
        let by_name = list.iter().enumerate().map(|(index, param)| (param.name.clone(), index)).collect();
        Ok(Self { list, by_name })
    }

    /// Brings what is kept at norm 1 there, in place.
    pub fn normalize(&self) -> Result<(), TorchError> {
        for Param { tensor, unit, .. } in self {
            if let Some(axes) = unit {
                unit::normalize(tensor, axes)?;
            }
        }
        Ok(())
    }

    /// The tensor called `name`, sharing storage with the one here.
    ///
    /// # Panics
    /// If there is none: the model and its table were generated together, so that this is a fault of the generator.
    pub fn get(&self, name: &str) -> Tensor {
        let found = self.by_name.get(name).and_then(|&index| self.list.get(index));
        found.map_or_else(
            || panic!("the parameter table has no `{name}`"),
            |param| param.tensor.shallow_clone(),
        )
    }

    /// The parameters of layer `index`, from 0.
    pub fn layer(&self, index: usize) -> LayerParams<'_> {
        LayerParams { params: self, index }
    }

    /// All of them, in the table's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.list.iter()
    }

    /// The gradient of `loss`, a scalar, with respect to each, in the table's order; zeros where it does not depend on one.
    pub fn gradients(&self, loss: &Tensor) -> Vec<Tensor> {
        let leaves: Vec<&Tensor> = self.iter().map(|param| &param.tensor).collect();
        let found = Tensor::run_backward(&[loss], &leaves, false, false);
        let defined = found
            .into_iter()
            .zip(leaves)
            .map(|(gradient, leaf)| if gradient.defined() { gradient } else { leaf.zeros_like().detach() });
        defined.collect()
    }

    /// The same values on `device`, apart from those here where that is another.
    #[must_use]
    pub fn on(&self, device: Device) -> Self {
        let there = |param: &Param| Param {
            name: param.name.clone(),
            tensor: param.tensor.detach().to_device(device),
            ..*param
        };
        Self { list: self.iter().map(there).collect(), by_name: self.by_name.clone() }
    }

    /// The number of scalars in all of them.
    pub fn num_elements(&self) -> usize {
        self.iter().map(|param| param.tensor.numel()).sum()
    }
}

impl<'a> IntoIterator for &'a Params {
    type Item = &'a Param;
    type IntoIter = std::slice::Iter<'a, Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A tensor of `row` at step 0, on the CPU, by LibTorch's generator.
fn start(row: &ParamRow) -> Tensor {
    let options = (Kind::Float, Device::Cpu);
    match row.init {
        Init::Constant(value) => Tensor::full(row.shape, value, options),
        Init::Normal(std) => Tensor::randn(row.shape, options) * std,
        // The inverse of the distribution function, of what is uniform between its values at both cuts.
        Init::TruncatedNormal(std) => {
            let cut = std::f64::consts::FRAC_1_SQRT_2 * TRUNCATED_AT;
            let largest = Tensor::from_slice(&[cut]).erf().to_kind(Kind::Float);
            let uniform: Tensor = Tensor::rand(row.shape, options) * 2.0 - 1.0;
            (uniform * largest).erfinv().clamp(-cut, cut) * (std * std::f64::consts::SQRT_2)
        }
        Init::Uniform(bound) => (Tensor::rand(row.shape, options) * 2.0 - 1.0) * bound,
    }
}

/// One layer's share of [`Params`].
#[derive(Clone, Copy, Debug)]
pub struct LayerParams<'a> {
    params: &'a Params,
    index: usize,
}

impl LayerParams<'_> {
    /// The tensor at `path` in this layer: `attn.q.weight`.
    ///
    /// # Panics
    /// As [`Params::get`].
    pub fn get(&self, path: &str) -> Tensor {
        self.params.get(&instance_name(path, Some(self.index)))
    }

    /// All of this layer's, in the table's order.
    pub fn all(&self) -> Vec<Tensor> {
        let prefix = instance_name("", Some(self.index));
        let own = self.params.iter().filter(|param| param.name.starts_with(&prefix));
        own.map(|param| param.tensor.shallow_clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Layers;

    /// The standard deviation and the largest entry of a tensor that starts so.
    fn spread(init: Init) -> (f64, f64) {
        tch::manual_seed(7);
        let row = ParamRow { path: "w", layers: Layers::Outside, shape: &[200, 300], group: 0, init };
        let tensor = start(&row);
        (tensor.std(false).double_value(&[]), tensor.abs().max().double_value(&[]))
    }

    #[test]
    fn a_truncated_normal_ends_at_three_deviations() {
        let (std, largest) = spread(Init::TruncatedNormal(0.5));
        // The variance of a standard normal cut at ±3 is 1 − 6 φ(3) / (2 Φ(3) − 1) = 0.97334.
        assert!((std - 0.5 * 0.973_34_f64.sqrt()).abs() < 5e-3, "{std}");
        assert!(largest > 1.4 && largest <= 1.5 + 1e-6, "{largest}");
    }

    #[test]
    fn uniform_ends_at_its_bound() {
        let (std, largest) = spread(Init::Uniform(0.5));
        assert!((std - 0.5 / 3.0_f64.sqrt()).abs() < 5e-3, "{std}");
        assert!(largest > 0.499 && largest <= 0.5, "{largest}");
    }
}
