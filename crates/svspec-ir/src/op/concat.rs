//! Values side by side, channel after channel of each head.

use super::{Cost, Operation, Origin, Passage, Reading, ResultKind, broadcast};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = [a, b, …]` over the last dimension. All inputs have the same dimensions but for the last, or one head, which
/// then stands beside every head of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Concat;

impl Operation for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("a concatenation".to_owned())
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        concat_dims(inputs, "channels").ok_or_else(|| {
            let shown: Vec<String> = inputs.iter().map(|input| dim::show(input)).collect();
            format!("{} do not stand side by side", shown.join(" and "))
        })
    }

    /// A copy.
    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        Cost { traffic: 2.0 * dim::num_elements(output) as f64, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::WidestInput
    }

    /// Affine in each: the others stand beside it.
    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    /// Onto the channels that come from this input; the others are left alone.
    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        let sizes: Vec<Vec<usize>> = inputs.iter().map(|input| dim::sizes(input)).collect();
        let shapes: Vec<&[usize]> = sizes.iter().map(Vec::as_slice).collect();
        let of_origin = |(input, channel): (usize, usize)| {
            if input == index { channels.get(channel).copied().flatten() } else { None }
        };
        Passage::Through(origins(&shapes).into_iter().map(of_origin).collect())
    }

    /// To the input that each channel comes from; one head beside all others takes it if all want the same.
    fn pull_scale(&self, _: &Model, channels: &[Option<usize>], inputs: &[&[Dim]], _: &[Dim]) -> Origin {
        let sizes: Vec<Vec<usize>> = inputs.iter().map(|input| dim::sizes(input)).collect();
        let shapes: Vec<&[usize]> = sizes.iter().map(Vec::as_slice).collect();
        let mut of_inputs: Vec<Vec<Option<Option<usize>>>> =
            inputs.iter().map(|input| vec![None; dim::num_elements(input)]).collect();
        for (origin, entry) in origins(&shapes).into_iter().zip(channels) {
            let known = of_inputs.get_mut(origin.0).and_then(|input| input.get_mut(origin.1));
            let Some(known) = known else { continue };
            if known.is_some_and(|known| known != *entry) {
                return Origin::Blocked(
                    "has one head beside several, which want different factors".to_owned(),
                );
            }
            *known = Some(*entry);
        }
        let of_input = |input: Vec<Option<Option<usize>>>| {
            let entries: Vec<Option<usize>> = input.into_iter().map(Option::flatten).collect();
            entries.iter().any(Option::is_some).then_some(entries)
        };
        Origin::Inputs(of_inputs.into_iter().map(of_input).collect())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.channel_shape()).collect();
        let origins = origins(&shapes);
        let Some(first) = inputs.first() else { return Tensor::zeros(&[0]) };
        let num_tokens = first.tokens().count();
        let value = |token: usize, (input, channel): (usize, usize)| {
            let input = inputs.get(input)?;
            input.data.get(token * input.num_channels() + channel).copied()
        };
        let data = (0..num_tokens)
            .flat_map(|token| origins.iter().map(move |&origin| value(token, origin).unwrap_or(f64::NAN)));
        Tensor::new(first.shape_with(&joined(&shapes)), data.collect())
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.channel_shape()).collect();
        let origins = origins(&shapes);
        let mut of_inputs: Vec<Tensor> = inputs.iter().map(|input| Tensor::zeros(&input.shape)).collect();
        for (token, gradient) in gradient.tokens().enumerate() {
            for (&(input, channel), term) in origins.iter().zip(gradient) {
                let sum = of_inputs.get_mut(input).and_then(|of_input| {
                    let start = token * of_input.num_channels();
                    of_input.data.get_mut(start + channel)
                });
                if let Some(sum) = sum {
                    *sum += term;
                }
            }
        }
        of_inputs.into_iter().map(Some).collect()
    }
}

/// The dimensions of the result, or `None` if the inputs do not go together; flat channels are called `channels` there.
pub fn concat_dims(inputs: &[&[Dim]], channels: &str) -> Option<Dims> {
    let leading = inputs.iter().map(|input| input.split_last().map(|(_, leading)| leading.to_vec()));
    let leading = leading.reduce(|a, b| broadcast::broadcast_dims(&a?, &b?))??;
    let num_channels = inputs.iter().filter_map(|input| input.last()).map(|dim| dim.size).sum();
    let name = if leading.is_empty() { channels } else { "head_dim" };
    Some(leading.into_iter().chain([Dim::new(name, num_channels)]).collect())
}

/// The sizes of the result.
fn joined(shapes: &[&[usize]]) -> Vec<usize> {
    let channels = shapes.iter().filter_map(|shape| shape.last()).sum();
    num_heads(shapes).into_iter().chain([channels]).collect()
}

/// The leading sizes of the result; none of flat values.
fn num_heads(shapes: &[&[usize]]) -> Option<usize> {
    shapes.iter().filter_map(|shape| shape.split_last()?.1.last().copied()).max()
}

/// For each channel of the result the input that it comes from, and the channel there.
fn origins(shapes: &[&[usize]]) -> Vec<(usize, usize)> {
    let of_head = |head: usize| {
        shapes.iter().enumerate().flat_map(move |(input, shape)| {
            let (size, heads) = match shape {
                [heads, size] => (*size, *heads),
                [size] => (*size, 1),
                _ => (0, 1),
            };
            let start = if heads == 1 { 0 } else { head * size };
            (start..start + size).map(move |channel| (input, channel))
        })
    };
    (0..num_heads(shapes).unwrap_or(1)).flat_map(of_head).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative_of_flat_values_and_of_heads() {
        Trial::new().check(&Concat, &[&[2], &[3], &[1]]);
        Trial::new().check(&Concat, &[&[2, 3], &[2, 1]]);
    }

    #[test]
    fn derivative_of_one_head_beside_every_other() {
        Trial::new().check(&Concat, &[&[3, 2], &[1, 4]]);
        Trial::new().check(&Concat, &[&[1, 2], &[3, 1]]);
    }

    #[test]
    fn one_head_stands_beside_each() {
        let heads = Tensor::new(vec![1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        let shared = Tensor::new(vec![1, 1, 1, 1], vec![9.0]);
        let y = Trial::new().eval(&Concat, &[heads, shared]);
        assert_eq!((y.shape, y.data), (vec![1, 1, 2, 3], vec![1.0, 2.0, 9.0, 3.0, 4.0, 9.0]));
    }

    #[test]
    fn a_scale_meets_the_channels_of_its_own_input() {
        let dims = |heads, size| vec![Dim::new("heads", heads), Dim::new("head_dim", size)];
        let (a, b) = (dims(2, 1), dims(1, 2));
        let pass = |index, channels: &[Option<usize>]| {
            Concat.pass_scale(&Trial::new().model(), index, channels, &[&a, &b])
        };
        let (left, right) = ([Some(0), None, None, Some(1), None, None], [None, Some(0), Some(1)].repeat(2));
        assert_eq!(pass(0, &[Some(0), Some(1)]), Passage::Through(left.to_vec()));
        assert_eq!(pass(1, &[Some(0), Some(1)]), Passage::Through(right));
    }

    #[test]
    fn other_numbers_of_heads_are_refused() {
        let dims = |heads| vec![Dim::new("heads", heads), Dim::new("head_dim", 2)];
        let (two, three) = (dims(2), dims(3));
        let fault = Concat.infer(&Trial::new().model(), &[&two, &three]).unwrap_err();
        assert_eq!(fault, "[heads 2, head_dim 2] and [heads 3, head_dim 2] do not stand side by side");
    }
}
