//! Linear maps. One projection is a plain matrix product; several share one product over the same input.

use super::memory::{BF16, F32};
use super::{Cost, Kept, Operation, Origin, Passage, Reading, ResultKind, Work, scale};
use crate::eval::{Environment, Gradients, Tensor, accumulate};
use crate::{Dim, Dims, Model, Op, ParamId, Precision, ScaleId, dim};
use serde::Serialize;

/// One weight of a linear map and the scale vectors that have been moved onto it: `diag(row) W diag(column)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Projection {
    /// `W`, `[out…, in…]`.
    pub weight: ParamId,
    /// Its output dimensions.
    pub out: Dims,
    /// γ on the input channels, applied to the weight; set only by a rewrite.
    pub column_scale: Option<ScaleId>,
    /// γ on the output channels, applied to the weight; set only by a rewrite.
    pub row_scale: Option<ScaleId>,
}

/// `y = W x`, contracting the last `num_in_dims` dimensions of the input (all of them).
/// Output: the projection's dimensions; of several, one dimension `fused` with their outputs flat, one after another,
/// which `slice` nodes take apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Linear {
    /// At least one. More than one only after a rewrite.
    pub projections: Vec<Projection>,
}

impl Operation for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LinearMap
    }

    fn is_step(&self) -> bool {
        false
    }

    fn subject(&self, model: &Model) -> Vec<String> {
        let path = |projection: &Projection| {
            let on = |side: &str, scale: Option<ScaleId>| {
                let vector = scale.and_then(|scale| model.scales.get(scale.0));
                vector.map_or_else(String::new, |vector| format!(" ⊙ {side} {}", vector.path))
            };
            let weight = model.params.get(projection.weight.0).map_or("", |weight| weight.path.as_str());
            let (columns, rows) = (on("columns", projection.column_scale), on("rows", projection.row_scale));
            format!("{weight}{columns}{rows}")
        };
        self.projections.iter().map(path).collect()
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        for projection in &self.projections {
            let weight =
                model.params.get(projection.weight.0).ok_or("its weight is no parameter of the model")?;
            let out = dim::sizes(&projection.out);
            let expected: Vec<usize> = out.iter().copied().chain(dim::sizes(x)).collect();
            if dim::sizes(&weight.dims) != expected {
                let (weight_dims, out) = (dim::show(&weight.dims), dim::show(&projection.out));
                return Err(format!(
                    "`{}` {weight_dims} does not map {} to {out}",
                    weight.path,
                    dim::show(x)
                ));
            }
            fits(model, projection.column_scale, &dim::sizes(x))?;
            fits(model, projection.row_scale, &out)?;
        }
        match self.projections.as_slice() {
            [] => Err("it has no weight".to_owned()),
            [projection] => Ok(projection.out.clone()),
            projections => {
                let num_out = projections.iter().map(|projection| dim::num_elements(&projection.out)).sum();
                Ok(vec![Dim::new("fused", num_out)])
            }
        }
    }

    /// Two operations per entry of each weight. Scaling a weight costs its entries once per micro-batch and vector, of
    /// which one token bears its share.
    fn cost(&self, model: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let num_in = inputs.first().map_or(0, |x| dim::num_elements(x)) as f64;
        let num_out = dim::num_elements(output) as f64;
        let tokens = (model.train.micro_batch.max(1) * model.context.max(1) as u64) as f64;
        let scaled = |projection: &Projection| {
            let vectors = [projection.column_scale, projection.row_scale].into_iter().flatten().count();
            vectors as f64 * num_in * dim::num_elements(&projection.out) as f64
        };
        let scaling = self.projections.iter().map(scaled).sum::<f64>() / tokens;
        let matmul_flops = 2.0 * num_in * num_out;
        Cost {
            flops: matmul_flops + scaling,
            matmul_flops,
            traffic: num_in + num_out + 2.0 * scaling,
            ..Cost::default()
        }
    }

    /// For the weight's gradient.
    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::Bf16
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // Scaled or stacked weights are made in one go, in the product's type; in bf16 plain ones are cast. On GPUs, where they
        // are made operation by operation, there are more copies for a while.
        let is_made = self.projections.len() > 1 || self.projections.iter().any(Projection::is_scaled);
        let (entry, is_cast) = match work.model.train.precision {
            Precision::F32 => (F32, false),
            Precision::Bf16 => (BF16, true),
            // Weights are bf16 already.
            Precision::Bf16Stochastic => (BF16, false),
        };
        if is_cast || is_made {
            let entries = self.projections.iter().map(|projection| work.param_entries(projection.weight));
            kept.weight_copies = entry * entries.sum::<u128>();
            // Their gradient.
            kept.backward = kept.weight_copies;
        }
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Absorbed
    }

    fn pull_scale(&self, _: &Model, _: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        match self.projections.as_slice() {
            [projection] => Origin::Taken { by: projection.weight, how: "the rows of" },
            _ => Origin::Blocked("is a product of several weights".to_owned()),
        }
    }

    fn without_tensors(&self) -> Option<Op> {
        let plain = |projection: &Projection| Projection { weight: ParamId(0), ..projection.clone() };
        Some(Op::Linear(Self { projections: self.projections.iter().map(plain).collect() }))
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let num_in = x.num_channels().max(1);
        let weights: Vec<Scaled> = self.projections.iter().map(|p| p.scaled(env, x)).collect();
        let mut data = Vec::new();
        for token in x.tokens() {
            for row in weights.iter().flat_map(|weight| weight.data.chunks_exact(num_in)) {
                data.push(row.iter().zip(token).map(|(w, x)| w * x).sum());
            }
        }
        let num_out = weights.iter().map(|weight| weight.data.len() / num_in).sum();
        let channels = match self.projections.as_slice() {
            [projection] => dim::sizes(&projection.out),
            _ => vec![num_out],
        };
        Tensor::new(x.shape_with(&channels), data)
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        let num_in = x.num_channels().max(1);
        let mut of_x = Tensor::zeros(&x.shape);
        let mut start = 0;
        for projection in &self.projections {
            let num_out = dim::num_elements(&projection.out);
            let weight = projection.scaled(env, x);
            let mut of_weight = vec![0.0; weight.data.len()];
            for ((x, of_x), g) in x.tokens().zip(of_x.tokens_mut()).zip(gradient.tokens()) {
                let rows = weight.data.chunks_exact(num_in).zip(of_weight.chunks_exact_mut(num_in));
                for (&g, (row, of_row)) in g.iter().skip(start).zip(rows) {
                    for (((of_w, w), of_x), x) in of_row.iter_mut().zip(row).zip(&mut *of_x).zip(x) {
                        *of_w += g * x;
                        *of_x += g * w;
                    }
                }
            }
            projection.unscale(env, x, &weight, &of_weight, gradients);
            start += num_out;
        }
        vec![Some(of_x)]
    }

    fn params(&self) -> Vec<ParamId> {
        self.projections.iter().map(|projection| projection.weight).collect()
    }

    fn scales(&self) -> Vec<ScaleId> {
        self.projections.iter().flat_map(|p| [p.column_scale, p.row_scale]).flatten().collect()
    }
}

/// A weight as it is multiplied with: `data[o, i] = row[o] · W[o, i] · column[i]`.
struct Scaled {
    data: Vec<f64>,
    row: Vec<f64>,
    column: Vec<f64>,
}

impl Projection {
    /// A plain matrix product with `weight`.
    pub fn plain(weight: ParamId, out: Dims) -> Self {
        Self { weight, out, column_scale: None, row_scale: None }
    }

    /// Whether a scale vector was moved onto the weight.
    pub fn is_scaled(&self) -> bool {
        self.column_scale.is_some() || self.row_scale.is_some()
    }

    fn scaled(&self, env: &Environment<'_>, x: &Tensor) -> Scaled {
        let spread = |scale: Option<ScaleId>, sizes: &[usize]| match scale {
            Some(scale) => scale::spread(&env.gamma(scale), sizes),
            None => vec![1.0; sizes.iter().product()],
        };
        let column = spread(self.column_scale, x.channel_shape());
        let row = spread(self.row_scale, &dim::sizes(&self.out));
        let mut data = env.value(self.weight).data.clone();
        for (weights, row) in data.chunks_exact_mut(column.len().max(1)).zip(&row) {
            for (weight, column) in weights.iter_mut().zip(&column) {
                *weight *= row * column;
            }
        }
        Scaled { data, row, column }
    }

    /// Takes the gradient of the scaled weight apart into those of the weight and of the vectors on it.
    fn unscale(
        &self,
        env: &Environment<'_>,
        x: &Tensor,
        scaled: &Scaled,
        of_scaled: &[f64],
        gradients: &mut Gradients,
    ) {
        let weight = env.value(self.weight);
        let num_in = scaled.column.len().max(1);
        let mut of_weight = Tensor::zeros(&weight.shape);
        let mut of_column = vec![0.0; scaled.column.len()];
        let mut of_row = vec![0.0; scaled.row.len()];
        let rows = weight.data.chunks_exact(num_in).zip(of_weight.data.chunks_exact_mut(num_in));
        let rows = rows.zip(of_scaled.chunks_exact(num_in)).zip(scaled.row.iter().zip(&mut of_row));
        for (((weights, of_weights), g), (row, of_row)) in rows {
            let entries = weights.iter().zip(of_weights).zip(g).zip(scaled.column.iter().zip(&mut of_column));
            for (((w, of_w), g), (column, of_column)) in entries {
                *of_w += g * row * column;
                *of_row += g * w * column;
                *of_column += g * w * row;
            }
        }
        accumulate(gradients, env.instance(self.weight), of_weight);
        if let Some(scale) = self.column_scale {
            let of_gamma = scale::gather(&of_column, &env.gamma(scale), x.channel_shape());
            env.gamma_vjp(scale, &of_gamma, gradients);
        }
        if let Some(scale) = self.row_scale {
            let of_gamma = scale::gather(&of_row, &env.gamma(scale), &dim::sizes(&self.out));
            env.gamma_vjp(scale, &of_gamma, gradients);
        }
    }
}

fn fits(model: &Model, scale: Option<ScaleId>, sizes: &[usize]) -> Result<(), String> {
    let Some(scale) = scale else { return Ok(()) };
    let vector = model.scales.get(scale.0).ok_or("its vector is no scale vector of the model")?;
    if dim::broadcasts(&dim::sizes(&vector.dims), sizes) {
        return Ok(());
    }
    Err(format!("`{}` {} does not fit its weight", vector.path, dim::show(&vector.dims)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScaleForm;
    use crate::op::trial::Trial;

    fn out(shape: &[usize]) -> Dims {
        shape.iter().map(|&size| Dim::new("out", size)).collect()
    }

    #[test]
    fn derivative_of_a_plain_map() {
        let mut trial = Trial::new();
        let weight = trial.param("q.weight", &[2, 2, 3], 2);
        let projections = vec![Projection::plain(weight, out(&[2, 2]))];
        trial.check(&Linear { projections }, &[&[3]]);
    }

    #[test]
    fn derivative_of_a_map_from_heads() {
        let mut trial = Trial::new();
        let weight = trial.param("o.weight", &[3, 2, 2], 1);
        let projections = vec![Projection::plain(weight, out(&[3]))];
        trial.check(&Linear { projections }, &[&[2, 2]]);
    }

    #[test]
    fn derivative_with_scaled_columns_and_rows() {
        let mut trial = Trial::new();
        let weight = trial.param("q.weight", &[2, 2, 3], 2);
        let column_scale = Some(trial.scale("q.in_scale", ScaleForm::MagnitudeDirection, &[3]));
        let row_scale = Some(trial.scale("q.out_scale", ScaleForm::ExpMagnitudeDirection, &[2]));
        let projection = Projection { weight, out: out(&[2, 2]), column_scale, row_scale };
        trial.check(&Linear { projections: vec![projection] }, &[&[3]]);
    }

    #[test]
    fn derivative_of_fused_projections() {
        let mut trial = Trial::new();
        let q = trial.param("q.weight", &[4, 3], 1);
        let k = trial.param("k.weight", &[2, 3], 1);
        let column_scale = Some(trial.scale("q.in_scale", ScaleForm::Direct, &[3]));
        let row_scale = Some(trial.scale("k.out_scale", ScaleForm::Direct, &[]));
        let projections = vec![
            Projection { weight: q, out: out(&[4]), column_scale, row_scale: None },
            Projection { weight: k, out: out(&[2]), column_scale: None, row_scale },
        ];
        trial.check(&Linear { projections }, &[&[3]]);
    }

    #[test]
    fn a_weight_of_another_shape_is_refused() {
        let mut trial = Trial::new();
        let weight = trial.param("q.weight", &[4, 3], 1);
        let linear = Linear { projections: vec![Projection::plain(weight, out(&[4]))] };
        let fault = linear.infer(&trial.model(), &[&[Dim::new("width", 5)]]).unwrap_err();
        assert_eq!(fault, "`q.weight` [d0 4, d1 3] does not map [width 5] to [out 4]");
    }
}
