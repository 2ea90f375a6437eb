//! A layer written down op by op, for tests of the layout.

use svspec_ir::op::rope::{Layout, Scaling};
use svspec_ir::op::{
    Activation, Add, Angles, Attention, Input, Linear, Mul, Norm, Normalize, Op, Projection, Rope, Scale,
};
use svspec_ir::param::ParamKind;
use svspec_ir::*;

/// A model of one layer kind, without embedding and head.
pub struct Sketch {
    model: Model,
}

impl Sketch {
    pub fn new() -> Self {
        let layer = Region {
            name: "layer".into(),
            family: "layer".into(),
            kind: RegionKind::Layer,
            nodes: vec![],
            output: ValueId(0),
            side: vec![],
            losses: vec![],
        };
        let train = Train {
            budget: Budget::Steps(1),
            steps: 1,
            batch: 1,
            micro_batch: 1,
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
        };
        let model = Model {
            name: "sketch".into(),
            doc: vec![],
            lineage: vec![],
            vocab: 256,
            context: 128,
            width: 128,
            document_end: None,
            regions: vec![layer],
            stack: vec![RegionId(0); 4],
            side_values: vec![],
            params: vec![],
            scales: vec![],
            foreign: svspec_ir::Foreign::default(),
            optimizer: Optimizer::default(),
            train,
        };
        Self { model }
    }

    pub fn finish(self) -> Model {
        self.model
    }

    fn node(&mut self, op: Op, inputs: &[ValueId], dims: &[usize]) -> ValueId {
        let dims = dims.iter().map(|&size| Dim::new("d", size)).collect();
        let nodes = &mut self.model.regions[0].nodes;
        let (name, part) = (format!("v{}", nodes.len()), String::new());
        nodes.push(Node { name, op, inputs: inputs.to_vec(), dims, part, span: span() });
        let value = ValueId(nodes.len() - 1);
        self.model.regions[0].output = value;
        value
    }

    fn dims(&self, value: ValueId) -> Vec<usize> {
        self.model.regions[0].nodes[value.0].dims.iter().map(|dim| dim.size).collect()
    }

    fn same(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let dims = self.dims(inputs[0]);
        self.node(op, inputs, &dims)
    }

    fn param(&mut self, path: String, kind: ParamKind, dims: &[usize]) -> ParamId {
        self.model.params.push(Param {
            path,
            region: RegionId(0),
            kind,
            scale_part: None,
            dims: dims.iter().map(|&size| Dim::new("d", size)).collect(),
            num_out_dims: 0,
            default_init: DefaultInit::constant(1.0),
            span: span(),
        });
        ParamId(self.model.params.len() - 1)
    }

    pub fn carried(&mut self) -> ValueId {
        self.node(Op::Input(Input::Carried), &[], &[128])
    }

    pub fn normalize(&mut self, x: ValueId, num_axes: usize) -> ValueId {
        self.same(Op::Normalize(Normalize { norm: Norm::Rms, num_axes, eps: 1e-5.into() }), &[x])
    }

    pub fn scale(&mut self, x: ValueId, path: &str) -> ValueId {
        let dims = self.dims(x);
        let param = self.param(path.into(), ParamKind::Scale, &dims);
        self.model.scales.push(ScaleVector {
            path: path.into(),
            region: RegionId(0),
            site: Site::Norm,
            form: ScaleForm::Direct,
            dims: dims.iter().map(|&size| Dim::new("d", size)).collect(),
            num_vectors: 1,
            params: vec![param],
            asserted: None,
            span: span(),
        });
        self.same(Op::Scale(Scale { scale: ScaleId(self.model.scales.len() - 1) }), &[x])
    }

    pub fn linear(&mut self, x: ValueId, path: &str, out: &[usize]) -> ValueId {
        let dims = [out, &self.dims(x)].concat();
        let weight = self.param(format!("{path}.weight"), ParamKind::Weight, &dims);
        let out_dims = out.iter().map(|&size| Dim::new("d", size)).collect();
        let projection = Projection { weight, out: out_dims, column_scale: None, row_scale: None };
        self.node(Op::Linear(Linear { projections: vec![projection] }), &[x], out)
    }

    pub fn rope(&mut self, x: ValueId) -> ValueId {
        let angles = Angles { theta: 10_000.0.into(), rotary_dim: 32, scaling: Scaling::Unscaled };
        self.same(Op::Rope(Rope { angles, layout: Layout::Half }), &[x])
    }

    pub fn attention(&mut self, qkv: [ValueId; 3]) -> ValueId {
        self.same(
            Op::Attention(Attention {
                scale: 0.1.into(),
                window: None,
                soft_cap: None,
                alibi: None,
                chunk: None,
                sinks: None,
            }),
            &qkv,
        )
    }

    pub fn silu(&mut self, x: ValueId) -> ValueId {
        self.same(Op::Activation(Activation::Silu), &[x])
    }

    pub fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.same(Op::Mul(Mul), &[a, b])
    }

    pub fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.same(Op::Add(Add), &[a, b])
    }
}

fn span() -> svspec_diagnostics::Span {
    svspec_diagnostics::Span::new(svspec_diagnostics::SourceId(0), 0, 0)
}
