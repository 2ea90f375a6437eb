//! A trial of one op: its derivative against finite differences, on random inputs and parameters. For tests.

use super::Operation;
use crate::eval::{Environment, Gradients, Random, Tensor, Values};
use crate::param::ScalePart;
use crate::*;
use svspec_diagnostics::{SourceId, Span};

/// A model with no nodes, to which an op's parameters are added.
pub struct Trial {
    model: Model,
}

const BATCH: usize = 2;
const TIME: usize = 4;

impl Trial {
    /// No parameters yet; they will belong to a layer.
    pub fn new() -> Self {
        Self { model: empty_model() }
    }

    /// The model.
    pub fn model(&self) -> Model {
        self.model.clone()
    }

    /// Sets the number of token ids.
    pub fn vocab(&mut self, vocab: usize) {
        self.model.vocab = vocab;
    }

    /// Sets the token id that ends a document.
    pub fn document_end(&mut self, token: usize) {
        self.model.document_end = Some(token);
    }

    /// Adds a parameter of the layer.
    pub fn param(&mut self, path: &str, shape: &[usize], num_out_dims: usize) -> ParamId {
        self.add_param(path, shape, num_out_dims, ParamKind::Weight, None)
    }

    /// Adds a scale vector of the layer, and its parameters.
    pub fn scale(&mut self, path: &str, form: ScaleForm, shape: &[usize]) -> ScaleId {
        self.add_scale(path, form, shape, &[])
    }

    /// Adds a scale vector for each expert, and their parameters.
    pub fn expert_scale(&mut self, path: &str, form: ScaleForm, shape: &[usize]) -> ScaleId {
        self.add_scale(path, form, shape, &shape[..1])
    }

    fn add_scale(&mut self, path: &str, form: ScaleForm, shape: &[usize], vectors: &[usize]) -> ScaleId {
        let parts: &[(ScalePart, &[usize])] = match form {
            ScaleForm::Direct | ScaleForm::OnePlus | ScaleForm::Softplus => &[(ScalePart::Whole, shape)],
            ScaleForm::MagnitudeDirection | ScaleForm::ExpMagnitudeDirection => {
                &[(ScalePart::Magnitude, vectors), (ScalePart::Direction, shape)]
            }
        };
        let params = parts
            .iter()
            .map(|(part, shape)| self.add_param(path, shape, 0, ParamKind::Scale, Some(*part)))
            .collect();
        self.model.scales.push(ScaleVector {
            path: path.to_owned(),
            region: RegionId(0),
            site: Site::Norm,
            form,
            dims: dims(shape),
            num_vectors: vectors.iter().product(),
            params,
            asserted: None,
            span: span(),
        });
        ScaleId(self.model.scales.len() - 1)
    }

    fn add_param(
        &mut self,
        path: &str,
        shape: &[usize],
        num_out_dims: usize,
        kind: ParamKind,
        scale_part: Option<ScalePart>,
    ) -> ParamId {
        self.model.params.push(Param {
            path: path.to_owned(),
            region: RegionId(0),
            kind,
            scale_part,
            dims: dims(shape),
            num_out_dims,
            default_init: DefaultInit::constant(0.0),
            span: span(),
        });
        ParamId(self.model.params.len() - 1)
    }

    /// The op's value, its parameters at random.
    pub fn eval(&self, op: &dyn Operation, inputs: &[Tensor]) -> Tensor {
        let values = self.random_values(&mut Random::new(5));
        let inputs: Vec<&Tensor> = inputs.iter().collect();
        self.with_environment(&values, |env| op.eval(env, &inputs))
    }

    /// The parameter's value in [`Self::eval`].
    pub fn value(&self, param: ParamId) -> Tensor {
        self.random_values(&mut Random::new(5))[&self.model.instance(param, Some(0))].clone()
    }

    /// Compares the op's derivative with finite differences, for inputs with these sizes after `[batch, time]`.
    pub fn check(&self, op: &dyn Operation, channel_shapes: &[&[usize]]) {
        let mut random = Random::new(11);
        let shapes = channel_shapes.iter().map(|shape| [&[BATCH, TIME][..], shape].concat());
        let inputs: Vec<Tensor> = shapes.map(|shape| random_tensor(&shape, &mut random)).collect();
        self.compare(op, &inputs, channel_shapes);
    }

    /// The same for an op that reads token ids.
    pub fn check_on_tokens(&self, op: &dyn Operation) {
        self.compare(op, &[self.tokens()], &[&[]]);
    }

    /// The same for an op that reads logits and token ids.
    pub fn check_on_logits(&self, op: &dyn Operation) {
        let logits = random_tensor(&[BATCH, TIME, self.model.vocab], &mut Random::new(11));
        self.compare(op, &[logits, self.tokens()], &[&[self.model.vocab], &[]]);
    }

    /// The same at these inputs.
    pub fn check_at(&self, op: &dyn Operation, inputs: &[Tensor]) {
        let shapes: Vec<&[usize]> = inputs.iter().map(Tensor::channel_shape).collect();
        self.compare(op, inputs, &shapes);
    }

    fn tokens(&self) -> Tensor {
        crate::eval::random_tokens(&self.model, BATCH, TIME, 3)
    }

    fn compare(&self, op: &dyn Operation, inputs: &[Tensor], channel_shapes: &[&[usize]]) {
        let mut random = Random::new(23);
        let values = self.random_values(&mut random);
        let value = |values: &Values, inputs: &[Tensor]| {
            let inputs: Vec<&Tensor> = inputs.iter().collect();
            self.with_environment(values, |env| op.eval(env, &inputs))
        };
        let output = value(&values, inputs);
        let dims: Vec<Dims> = channel_shapes.iter().map(|shape| dims(shape)).collect();
        let dims: Vec<&[Dim]> = dims.iter().map(Vec::as_slice).collect();
        let inferred = op.infer(&self.model, &dims).expect("the op takes these inputs");
        assert_eq!(output.channel_shape(), dim::sizes(&inferred), "{} infers what it computes", op.name());

        let cotangent = random_tensor(&output.shape, &mut random);
        let loss = |values: &Values, inputs: &[Tensor]| -> f64 {
            value(values, inputs).data.iter().zip(&cotangent.data).map(|(y, g)| y * g).sum()
        };
        let mut gradients = Gradients::new();
        let refs: Vec<&Tensor> = inputs.iter().collect();
        let of_inputs =
            self.with_environment(&values, |env| op.vjp(env, &refs, &output, &cotangent, &mut gradients));
        for (index, found) in of_inputs.iter().enumerate() {
            let Some(found) = found else { continue };
            let expected = finite_differences(&inputs[index], |moved| {
                let mut inputs = inputs.to_vec();
                inputs[index] = moved.clone();
                loss(&values, &inputs)
            });
            assert_close(found, &expected, &format!("{} input {index}", op.name()));
        }
        for (instance, at) in &values {
            let expected = finite_differences(at, |moved| {
                let mut values = values.clone();
                values.insert(*instance, moved.clone());
                loss(&values, inputs)
            });
            let found = gradients.get(instance).expect("every parameter of a trial has a gradient");
            assert_close(found, &expected, &format!("{} parameter {}", op.name(), instance.param.0));
        }
    }

    fn random_values(&self, random: &mut Random) -> Values {
        let value = |instance: Instance| {
            let shape = dim::sizes(&self.model.params[instance.param.0].dims);
            (instance, random_tensor(&shape, random))
        };
        self.model.instances().into_iter().map(value).collect()
    }

    fn with_environment<T>(&self, values: &Values, f: impl FnOnce(&Environment<'_>) -> T) -> T {
        let tokens = self.tokens();
        let model = &self.model;
        f(&Environment {
            model,
            values,
            layer: Some(0),
            tokens: &tokens,
            targets: &tokens,
            carried: None,
            collected: &[],
        })
    }
}

/// The gradient of `f` at `at`, by central differences of fourth order.
pub fn finite_differences(at: &Tensor, f: impl Fn(&Tensor) -> f64) -> Tensor {
    let step = 1e-3;
    let mut gradient = Tensor::zeros(&at.shape);
    for (entry, found) in gradient.data.iter_mut().enumerate() {
        let moved = |by: f64| {
            let mut moved = at.clone();
            moved.data[entry] += by;
            f(&moved)
        };
        let near = 8.0 * (moved(step) - moved(-step));
        *found = (near - (moved(2.0 * step) - moved(-2.0 * step))) / (12.0 * step);
    }
    gradient
}

/// Each entry within 1e-6 of the largest entry.
pub fn assert_close(found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.shape, expected.shape, "{what}");
    let largest = expected.data.iter().fold(1e-3_f64, |largest, x| largest.max(x.abs()));
    for (entry, (found, expected)) in found.data.iter().zip(&expected.data).enumerate() {
        let error = (found - expected).abs() / largest;
        assert!(error < 1e-6, "{what}, entry {entry}: {found} against {expected} by finite differences");
    }
}

/// An entry of γ for each channel.
pub fn entries(channels: &[usize]) -> Vec<Option<usize>> {
    channels.iter().copied().map(Some).collect()
}

/// Random entries, as of an activation.
pub fn random_activation(channel_shape: &[usize], seed: u64) -> Tensor {
    random_tensor(&[&[BATCH, TIME], channel_shape].concat(), &mut Random::new(seed))
}

/// For each token `num_chosen` different experts.
pub fn random_choice(num_experts: usize, num_chosen: usize) -> Tensor {
    let mut random = Random::new(17);
    let first: Vec<usize> = (0..BATCH * TIME).map(|_| random.below(num_experts)).collect();
    let chosen =
        first.iter().flat_map(|first| (0..num_chosen).map(move |more| ((first + more) % num_experts) as f64));
    Tensor::new(vec![BATCH, TIME, num_chosen], chosen.collect())
}

fn random_tensor(shape: &[usize], random: &mut Random) -> Tensor {
    let data = (0..shape.iter().product()).map(|_| random.normal()).collect();
    Tensor::new(shape.to_vec(), data)
}

fn dims(shape: &[usize]) -> Dims {
    shape.iter().enumerate().map(|(index, &size)| Dim::new(format!("d{index}"), size)).collect()
}

fn span() -> Span {
    Span::new(SourceId(0), 0, 0)
}

fn empty_model() -> Model {
    let region = Region {
        name: "layer".to_owned(),
        family: "layer".to_owned(),
        kind: RegionKind::Layer,
        nodes: Vec::new(),
        output: ValueId(0),
        side: Vec::new(),
        losses: Vec::new(),
    };
    Model {
        name: "trial".to_owned(),
        doc: Vec::new(),
        lineage: Vec::new(),
        vocab: 5,
        context: TIME,
        width: 4,
        document_end: None,
        regions: vec![region],
        stack: vec![RegionId(0)],
        side_values: Vec::new(),
        params: Vec::new(),
        scales: Vec::new(),
        foreign: crate::Foreign::default(),
        optimizer: Optimizer::default(),
        train: Train {
            budget: Budget::Steps(1),
            steps: 1,
            batch: BATCH as u64,
            micro_batch: BATCH as u64,
            schedule: Schedule::Constant { warmup: 0 },
            decay_schedule: Schedule::Constant { warmup: 0 },
            precision: Precision::F32,
            loss_chunk: LossChunk::All,
            recompute: 0,
            clip: None,
            eval_every: 1,
            checkpoint_every: 1,
            keep_last: 1,
            keep_every: None,
            health: Health::default(),
            seed: 0,
        },
    }
}
