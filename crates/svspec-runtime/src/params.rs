//! A spec's parameter table in, named tensors out: freshly initialised, or filled from a checkpoint.

use crate::random;
use crate::spec::{Init, ParamRow, Spec, instance_name};
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

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
}

impl Params {
    /// The parameters at step 0. Each is drawn on the CPU from a stream of its own, named after it, so that two variants
    /// share the start of what they share, whatever the device.
    pub fn init(spec: &Spec, seed: u64, device: Device) -> Self {
        Self::build(spec, |name, row| {
            let shape = row.shape;
            let tensor = match row.init {
                Init::Constant(value) => Tensor::full(shape, value, (Kind::Float, Device::Cpu)),
                Init::Normal(std) => {
                    tch::manual_seed(random::named(seed, name).cast_signed());
                    Tensor::randn(shape, (Kind::Float, Device::Cpu)) * std
                }
            };
            tensor.to_device(device)
        })
    }

    /// Parameters made by `tensor` from each name and row; the tensors must have the rows' shapes.
    ///
    /// # Panics
    /// If one has not.
    pub fn build(spec: &Spec, mut tensor: impl FnMut(&str, &ParamRow) -> Tensor) -> Self {
        let mut list = Vec::new();
        for row in spec.params {
            for layer in row.layers.instances() {
                let name = instance_name(row.path, layer);
                let tensor = tensor(&name, row).detach().set_requires_grad(true);
                assert_eq!(tensor.size(), row.shape, "the shape of `{name}` is not its table's");
                list.push(Param { name, tensor, group: row.group });
            }
        }
        let by_name = list.iter().enumerate().map(|(index, param)| (param.name.clone(), index)).collect();
        Self { list, by_name }
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
}
