//! Some channels of a value, or of each of its heads: of a fused linear map's output, one projection's share.

use super::{Attribute, Cost, Operation, Origin, Passage, Reading};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = x[…, start .. start + num_elements(dims)]`, its last dimension viewed as `dims`; output: the input's dimensions
/// with `dims` in place of the last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// The first channel.
    pub start: usize,
    /// What the last dimension becomes.
    pub dims: Dims,
}

impl Operation for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("a slice".to_owned())
    }

    fn is_step(&self) -> bool {
        true
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        vec![("from", self.start.to_string())]
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        let end = self.start + dim::num_elements(&self.dims);
        if let Some((last, leading)) = x.split_last()
            && end <= last.size
        {
            return Ok(leading.iter().chain(&self.dims).cloned().collect());
        }
        Err(format!("channels {}..{end} are not in {}", self.start, dim::show(x)))
    }

    /// A view.
    fn cost(&self, _: &Model, _: &[&[Dim]], _: &[Dim]) -> Cost {
        Cost::default()
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, _: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        let size = inputs.first().and_then(|x| x.last()).map_or(1, |dim| dim.size).max(1);
        Passage::Through(channels.chunks(size).flat_map(|head| self.taken(head)).copied().collect())
    }

    /// To the channels that are taken.
    fn pull_scale(&self, _: &Model, channels: &[Option<usize>], inputs: &[&[Dim]], _: &[Dim]) -> Origin {
        let size = inputs.first().and_then(|x| x.last()).map_or(1, |dim| dim.size);
        let len = dim::num_elements(&self.dims).max(1);
        let head = |taken: &[Option<usize>]| {
            let rest = size.saturating_sub(self.start + len);
            let before = std::iter::repeat_n(None, self.start);
            before.chain(taken.iter().copied()).chain(std::iter::repeat_n(None, rest)).collect::<Vec<_>>()
        };
        Origin::Inputs(vec![Some(channels.chunks(len).flat_map(head).collect())])
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let (size, leading) =
            x.channel_shape().split_last().map_or((1, &[][..]), |(size, rest)| (*size, rest));
        let data = x.data.chunks(size.max(1)).flat_map(|head| self.taken(head)).copied().collect();
        let channels: Vec<usize> = leading.iter().copied().chain(dim::sizes(&self.dims)).collect();
        Tensor::new(x.shape_with(&channels), data)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        let mut of_x = Tensor::zeros(&x.shape);
        let size = x.shape.last().copied().unwrap_or(1).max(1);
        let len = dim::num_elements(&self.dims).max(1);
        for (head, gradient) in of_x.data.chunks_mut(size).zip(gradient.data.chunks(len)) {
            for (sum, term) in head.iter_mut().skip(self.start).zip(gradient) {
                *sum += term;
            }
        }
        vec![Some(of_x)]
    }
}

impl Slice {
    /// What is taken of one head's entries.
    fn taken<'e, T>(&self, head: &'e [T]) -> impl Iterator<Item = &'e T> + use<'e, T> {
        head.iter().skip(self.start).take(dim::num_elements(&self.dims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{Trial, entries};

    fn slice() -> Slice {
        Slice { start: 2, dims: vec![Dim::new("heads", 2), Dim::new("head_dim", 2)] }
    }

    #[test]
    fn derivative() {
        Trial::new().check(&slice(), &[&[7]]);
    }

    #[test]
    fn derivative_of_channels_of_each_head() {
        let channels = Slice { start: 1, dims: vec![Dim::new("head_dim", 2)] };
        Trial::new().check(&channels, &[&[2, 4]]);
    }

    #[test]
    fn a_scale_passes_with_the_channels_that_are_taken() {
        let pass = |slice: &Slice, x: &[Dim]| {
            let channels = entries(&(0..dim::num_elements(x)).collect::<Vec<_>>());
            slice.pass_scale(&Trial::new().model(), 0, &channels, &[x])
        };
        assert_eq!(pass(&slice(), &[Dim::new("fused", 7)]), Passage::Through(entries(&[2, 3, 4, 5])));
        let heads = [Dim::new("heads", 2), Dim::new("head_dim", 3)];
        let channels = Slice { start: 1, dims: vec![Dim::new("head_dim", 2)] };
        assert_eq!(pass(&channels, &heads), Passage::Through(entries(&[1, 2, 4, 5])));
    }

    #[test]
    fn channels_past_the_end_are_refused() {
        let fault = slice().infer(&Trial::new().model(), &[&[Dim::new("fused", 5)]]).unwrap_err();
        assert_eq!(fault, "channels 2..6 are not in [fused 5]");
    }
}
