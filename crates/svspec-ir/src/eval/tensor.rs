//! A dense array of `f64`, row-major.

use std::ops::Range;

/// A value of the evaluator. Activations are `[batch, time, dims…]`; token ids are stored as whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major entries.
    pub data: Vec<f64>,
}

impl Tensor {
    /// These entries in this shape.
    ///
    /// # Panics
    /// If their numbers differ.
    pub fn new(shape: Vec<usize>, data: Vec<f64>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "a tensor has as many entries as its shape");
        Self { shape, data }
    }

    /// All entries 0.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::filled(shape, 0.0)
    }

    /// All entries `value`.
    pub fn filled(shape: &[usize], value: f64) -> Self {
        Self { shape: shape.to_vec(), data: vec![value; shape.iter().product()] }
    }

    /// The sizes after `[batch, time]`.
    pub fn channel_shape(&self) -> &[usize] {
        self.shape.get(2..).unwrap_or_default()
    }

    /// `[batch, time]`, followed by `channel_shape`.
    pub fn shape_with(&self, channel_shape: &[usize]) -> Vec<usize> {
        self.shape.iter().take(2).chain(channel_shape).copied().collect()
    }

    /// The number of entries for one token of an activation.
    pub fn num_channels(&self) -> usize {
        self.channel_shape().iter().product()
    }

    /// The entries of an activation, token by token.
    pub fn tokens(&self) -> std::slice::ChunksExact<'_, f64> {
        self.data.chunks_exact(self.num_channels().max(1))
    }

    /// The same, to write to.
    pub fn tokens_mut(&mut self) -> std::slice::ChunksExactMut<'_, f64> {
        let num_channels = self.num_channels().max(1);
        self.data.chunks_exact_mut(num_channels)
    }

    /// `f` of each entry.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), data: self.data.iter().map(|&x| f(x)).collect() }
    }

    /// `f` of each pair of entries; the shapes are the same.
    #[must_use]
    pub fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let data = self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect();
        Self { shape: self.shape.clone(), data }
    }

    /// Adds `other`, entry by entry; the shapes are the same.
    pub fn add_assign(&mut self, other: &Self) {
        for (sum, term) in self.data.iter_mut().zip(&other.data) {
            *sum += term;
        }
    }

    /// Divides by the Euclidean norm over these neighbouring axes; what is 0 there stays so.
    pub fn normalize(&mut self, axes: Range<usize>) {
        let size = |sizes: Option<&[usize]>| sizes.unwrap_or_default().iter().product::<usize>();
        let inner = size(self.shape.get(axes.end..));
        let extent = size(self.shape.get(axes));
        for block in self.data.chunks_exact_mut((extent * inner).max(1)) {
            for at in 0..inner {
                let entries = block.iter().skip(at).step_by(inner);
                let norm = entries.map(|entry| entry * entry).sum::<f64>().sqrt();
                if norm > 0.0 {
                    block.iter_mut().skip(at).step_by(inner).for_each(|entry| *entry /= norm);
                }
            }
        }
    }

    /// The mean of all entries.
    pub fn mean(&self) -> f64 {
        self.data.iter().sum::<f64>() / self.data.len() as f64
    }
}
