//! Graphs drawn by hand, for cases that are easier drawn than specified.

use svspec_diagnostics::{SourceId, Span};
use svspec_ir::op::{CrossEntropy, Embed, Input, Linear, Norm, Normalize, Op, Projection, Scale};
use svspec_ir::param::ScalePart;
use svspec_ir::{
    Budget, DefaultInit, Dim, Health, LossChunk, Model, Node, Optimizer, Param, ParamId, ParamKind,
    Precision, Region, RegionId, RegionKind, ScaleForm, ScaleId, ScaleVector, Schedule, Site, Train, ValueId,
    dim,
};

/// A model that grows node by node.
pub struct Sketch {
    model: Model,
}

pub const WIDTH: usize = 6;

impl Sketch {
    /// Tokens embedded, and one layer that has been given its input.
    pub fn new() -> (Self, ValueId) {
        let mut sketch = Self { model: empty() };
        sketch.region("embed", RegionKind::Embed);
        let table = sketch.param("embed.weight", ParamKind::Embedding, &[7, WIDTH], 0, None);
        let tokens = sketch.node("tokens", Op::Input(Input::Tokens), &[]);
        sketch.node("x", Op::Embed(Embed { table }), &[tokens]);
        sketch.region("layer", RegionKind::Layer);
        sketch.model.stack = vec![RegionId(1), RegionId(1)];
        let x = sketch.node("x", Op::Input(Input::Carried), &[]);
        (sketch, x)
    }

    /// Ends the layer with what was drawn last, and adds the head (tied to the embedding) and the loss.
    pub fn finish(mut self) -> Model {
        self.region("head", RegionKind::Head);
        let x = self.node("x", Op::Input(Input::Carried), &[]);
        let n = self.normalize("n", x);
        let scaled = self.scale("final_norm.scale", n);
        let unembed = Projection::plain(ParamId(0), vec![Dim::new("vocab", 7)]);
        self.node("logits", Op::Linear(Linear { projections: vec![unembed] }), &[scaled]);
        self.region("loss", RegionKind::Loss);
        let logits = self.node("logits", Op::Input(Input::Carried), &[]);
        self.last_region().nodes[0].dims = vec![Dim::new("vocab", 7)];
        let targets = self.node("targets", Op::Input(Input::Targets), &[]);
        self.node("loss", Op::CrossEntropy(CrossEntropy), &[logits, targets]);
        self.model
    }

    /// A root-mean-square normalisation over all channels.
    pub fn normalize(&mut self, name: &str, input: ValueId) -> ValueId {
        self.node(name, Op::Normalize(Normalize { norm: Norm::Rms, num_axes: 1, eps: 1e-5.into() }), &[input])
    }

    /// A vector over all channels.
    pub fn scale(&mut self, path: &str, input: ValueId) -> ValueId {
        let size = dim::num_elements(&self.last_region().nodes[input.0].dims);
        let param = self.param(path, ParamKind::Scale, &[size], 0, Some(ScalePart::Whole));
        let vector = ScaleVector {
            path: path.to_owned(),
            region: RegionId(self.model.regions.len() - 1),
            site: Site::Norm,
            form: ScaleForm::Direct,
            dims: self.model.params[param.0].dims.clone(),
            num_vectors: 1,
            params: vec![param],
            asserted: None,
            span: span(),
        };
        self.model.scales.push(vector);
        let scale = ScaleId(self.model.scales.len() - 1);
        self.node(&path.replace('.', "_"), Op::Scale(Scale { scale }), &[input])
    }

    /// A linear map to `num_out` channels.
    pub fn linear(&mut self, path: &str, input: ValueId, num_out: usize) -> ValueId {
        let num_in = dim::num_elements(&self.last_region().nodes[input.0].dims);
        let weight = self.param(&format!("{path}.weight"), ParamKind::Weight, &[num_out, num_in], 1, None);
        self.use_weight(path, weight, input)
    }

    /// Another use of a weight.
    pub fn use_weight(&mut self, path: &str, weight: ParamId, input: ValueId) -> ValueId {
        let out = vec![self.model.params[weight.0].dims[0].clone()];
        let linear = Linear { projections: vec![Projection::plain(weight, out)] };
        self.node(&path.replace('.', "_"), Op::Linear(linear), &[input])
    }

    /// The parameter made last.
    pub fn last_param(&self) -> ParamId {
        ParamId(self.model.params.len() - 1)
    }

    /// Any node; the region's output until another follows.
    pub fn node(&mut self, name: &str, op: Op, inputs: &[ValueId]) -> ValueId {
        let region = self.last_region();
        let dims_of: Vec<_> = inputs.iter().map(|input| region.nodes[input.0].dims.clone()).collect();
        let dims_of: Vec<&[Dim]> = dims_of.iter().map(Vec::as_slice).collect();
        let dims = op.operation().infer(&self.model, &dims_of).unwrap();
        let (inputs, part) = (inputs.to_vec(), name.replace('_', "."));
        let region = self.last_region();
        region.nodes.push(Node { name: name.to_owned(), op, inputs, dims, part, span: span() });
        region.output = ValueId(region.nodes.len() - 1);
        region.output
    }

    fn region(&mut self, name: &str, kind: RegionKind) {
        let region = Region {
            name: name.to_owned(),
            family: name.to_owned(),
            kind,
            nodes: Vec::new(),
            output: ValueId(0),
            side: Vec::new(),
            losses: Vec::new(),
        };
        self.model.regions.push(region);
    }

    fn last_region(&mut self) -> &mut Region {
        self.model.regions.last_mut().unwrap()
    }

    fn param(
        &mut self,
        path: &str,
        kind: ParamKind,
        shape: &[usize],
        num_out_dims: usize,
        scale_part: Option<ScalePart>,
    ) -> ParamId {
        let default_init = match kind {
            ParamKind::Scale => DefaultInit::constant(1.0),
            ParamKind::Weight
            | ParamKind::Embedding
            | ParamKind::Bias
            | ParamKind::Router
            | ParamKind::Correction => DefaultInit::Normal { std: 0.5 },
        };
        self.model.params.push(Param {
            path: path.to_owned(),
            region: RegionId(self.model.regions.len() - 1),
            kind,
            scale_part,
            dims: shape.iter().map(|&size| Dim::new(format!("d{size}"), size)).collect(),
            num_out_dims,
            default_init,
            span: span(),
        });
        self.last_param()
    }
}

fn span() -> Span {
    Span::new(SourceId(0), 0, 0)
}

/// Its micro-batch is so large that moving a scale to weights always pays.
fn empty() -> Model {
    Model {
        name: "sketch".to_owned(),
        doc: Vec::new(),
        lineage: Vec::new(),
        vocab: 7,
        context: 5,
        width: WIDTH,
        document_end: None,
        regions: Vec::new(),
        stack: Vec::new(),
        side_values: Vec::new(),
        params: Vec::new(),
        scales: Vec::new(),
        foreign: svspec_ir::Foreign::default(),
        optimizer: Optimizer::default(),
        train: Train {
            budget: Budget::Steps(1),
            steps: 1,
            batch: 4096,
            micro_batch: 4096,
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
