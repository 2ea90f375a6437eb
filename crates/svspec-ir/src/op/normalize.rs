//! Deterministic normalisation over trailing dimensions; the scale vector, if any, is a `scale` of its own.

use super::{Attribute, Cost, Kept, Operation, Origin, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::print::number::shortest;
use crate::{Dim, Dims, Model, PerLayer, dim};
use serde::Serialize;

/// Which statistic is divided out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// `x / sqrt(mean(x²) + eps)`
    Rms,
    /// `(x − mean(x)) / sqrt(var(x) + eps)`, the variance biased, as LayerNorm's.
    Layer,
}

/// Normalises each token over its last `num_axes` dimensions; input and output have the same dimensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Normalize {
    /// The statistic.
    pub norm: Norm,
    /// How many trailing dimensions are normalised together: 1 of `[heads, head_dim]` is per head, 2 is full width.
    pub num_axes: usize,
    /// Added under the root.
    pub eps: PerLayer,
}

impl Operation for Normalize {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("a normalisation")
    }

    fn is_step(&self) -> bool {
        true
    }

    fn attributes(&self, dims: &[Dim]) -> Vec<Attribute> {
        let norm = match self.norm {
            Norm::Rms => "rms",
            Norm::Layer => "layer",
        };
        let skipped = dims.len().saturating_sub(self.num_axes);
        let axes: Vec<&str> = dims.iter().skip(skipped).map(|dim| dim.name.as_str()).collect();
        let over = if skipped == 0 { String::new() } else { format!("over {}", axes.join(" × ")) };
        vec![(norm, over), ("eps", shortest(self.eps.at(None)))]
    }

    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        vec![&mut self.eps]
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        if self.num_axes == 0 || self.num_axes > x.len() {
            return Err(format!("it normalises {} dimensions of {}", self.num_axes, dim::show(x)));
        }
        Ok(x.to_vec())
    }

    /// RMS: a square, a sum and a product per value; layer: the mean's sum and difference as well.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        let num_leading = output.len().saturating_sub(self.num_axes);
        let groups: usize =
            inputs.iter().flat_map(|x| x.iter().take(num_leading)).map(|dim| dim.size).product();
        let (flops, statistics) = match self.norm {
            Norm::Rms => (3.0, 1.0),
            Norm::Layer => (5.0, 2.0),
        };
        Cost {
            flops: flops * values,
            saved: statistics * groups as f64,
            traffic: 2.0 * values,
            ..Cost::default()
        }
    }

    /// RMS: the output and the factors suffice. That is the runtime's kernel on CPUs; LibTorch's on GPUs keeps the input instead.
    fn keeps_input(&self, _: usize) -> bool {
        match self.norm {
            Norm::Rms => false,
            Norm::Layer => true,
        }
    }

    fn keeps_output(&self) -> bool {
        match self.norm {
            Norm::Rms => true,
            Norm::Layer => false,
        }
    }

    fn result_kind(&self) -> ResultKind {
        match self.norm {
            Norm::Rms => ResultKind::Bf16ForProducts,
            Norm::Layer => ResultKind::F32,
        }
    }

    /// The runtime's kernel reads bf16 as it is.
    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        match self.norm {
            Norm::Rms => {}
            Norm::Layer => {
                kept.forward = work.widened;
                kept.backward = work.widened;
            }
        }
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `normalize`, whose statistic depends on γ".to_owned())
    }

    fn pull_scale(&self, _: &Model, _: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Blocked("is a normalisation, which undoes a scale before it".to_owned())
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let eps = self.eps.at(env.layer);
        let mut y = x.clone();
        for group in y.data.chunks_exact_mut(self.group_size(x)) {
            let (shift, factor) = self.statistics(group, eps);
            for value in group {
                *value = (*value - shift) * factor;
            }
        }
        y
    }

    /// With `y` the output and `r` the factor: `dx = r (g − y mean(g y))`, and of layer normalisation `− r mean(g)` more.
    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        output: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        let (size, eps) = (self.group_size(x), self.eps.at(env.layer));
        let mut of_x = gradient.clone();
        let groups = of_x.data.chunks_exact_mut(size).zip(output.data.chunks_exact(size));
        for ((g, y), x) in groups.zip(x.data.chunks_exact(size)) {
            let (_, factor) = self.statistics(x, eps);
            let along = g.iter().zip(y).map(|(g, y)| g * y).sum::<f64>() / size as f64;
            let mean = match self.norm {
                Norm::Rms => 0.0,
                Norm::Layer => g.iter().sum::<f64>() / size as f64,
            };
            for (g, y) in g.iter_mut().zip(y) {
                *g = factor * (*g - mean - y * along);
            }
        }
        vec![Some(of_x)]
    }
}

impl Normalize {
    fn group_size(&self, x: &Tensor) -> usize {
        x.shape.iter().rev().take(self.num_axes).product::<usize>().max(1)
    }

    /// What is subtracted from each value, and by what the difference is multiplied.
    fn statistics(&self, group: &[f64], eps: f64) -> (f64, f64) {
        let mean = |sum: f64| sum / group.len() as f64;
        let shift = match self.norm {
            Norm::Rms => 0.0,
            Norm::Layer => mean(group.iter().sum()),
        };
        let mean_square = mean(group.iter().map(|x| (x - shift) * (x - shift)).sum());
        (shift, 1.0 / (mean_square + eps).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative_over_one_axis_and_over_two() {
        for norm in [Norm::Rms, Norm::Layer] {
            for num_axes in [1, 2] {
                Trial::new().check(&Normalize { norm, num_axes, eps: 1e-2.into() }, &[&[2, 3]]);
            }
        }
    }

    #[test]
    fn rms_divides_by_the_root_mean_square() {
        let op = Normalize { norm: Norm::Rms, num_axes: 1, eps: 0.0.into() };
        let y = Trial::new().eval(&op, &[Tensor::new(vec![1, 1, 2], vec![3.0, 4.0])]);
        let rms = 12.5_f64.sqrt();
        assert_eq!(y.data, [3.0 / rms, 4.0 / rms].map(|y: f64| y));
    }

    #[test]
    fn layer_has_mean_zero_and_variance_one() {
        let op = Normalize { norm: Norm::Layer, num_axes: 1, eps: 0.0.into() };
        let y = Trial::new().eval(&op, &[Tensor::new(vec![1, 1, 2], vec![3.0, 5.0])]);
        assert_eq!(y.data, [-1.0, 1.0]);
    }

    #[test]
    fn more_axes_than_dimensions_are_refused() {
        let op = Normalize { norm: Norm::Rms, num_axes: 2, eps: 0.0.into() };
        let fault = op.infer(&Trial::new().model(), &[&[Dim::new("width", 4)]]).unwrap_err();
        assert_eq!(fault, "it normalises 2 dimensions of [width 4]");
    }
}
