//! A model written by hand the way generated ones are, in sizes that a test's patience allows.

use std::marker::PhantomData;
use svspec_runtime::nn;
use svspec_runtime::spec::{
    Absorber, Algorithm, Entries, GroupRow, Init, Layers, ParamRow, Role, ScaleForm, ScaleRow, Spec,
    Training, UnitRow,
};
use svspec_runtime::{Model, Params};
use tch::Tensor;

/// What one model differs from another in; most are two layers of width 32 on 32 bytes of context.
pub trait Size {
    const NAME: &'static str;
    const CONTEXT: i64 = 32;
    const WIDTH: i64 = 32;
    const NUM_LAYERS: usize = 2;
    const NUM_HEADS: i64 = 2;
    const HIDDEN: i64 = 80;
    const TRAINING: Training;
    /// The optimizer of matrices and of input scales.
    const ALGORITHMS: [Algorithm; 2] = [ADAMW, ADAMW];
    /// What is kept at norm 1.
    const UNITS: &'static [UnitRow] = &[];
}

pub const ADAMW: Algorithm = Algorithm::AdamW { betas: (0.9, 0.95), eps: 1e-8 };

/// A Llama with magnitude-direction vectors on its attention norm.
pub struct Hand<S> {
    embed: Tensor,
    layers: Vec<Layer>,
    final_norm: Tensor,
    unembed: Tensor,
    size: PhantomData<S>,
}

struct Layer {
    attn_norm: (Tensor, Tensor),
    q: Tensor,
    k: Tensor,
    v: Tensor,
    o: Tensor,
    mlp_norm: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

/// The groups of [`Hand`], by index.
pub const MATRICES: usize = 0;
pub const INPUT_SCALES: usize = 1;
pub const OTHERS: usize = 2;

/// A vector of an Input-Norm.
pub const fn scale(
    path: &'static str,
    layers: Layers,
    form: ScaleForm,
    absorbers: &'static [Absorber],
) -> ScaleRow {
    ScaleRow { path, layers, role: Role::Input, form, site: "norm", absorbers }
}

impl<S: Size> Hand<S> {
    const ALL: Layers = Layers::Range(0, S::NUM_LAYERS);
    const fn matrix(path: &'static str, shape: &'static [i64]) -> ParamRow {
        ParamRow { path, layers: Self::ALL, shape, group: MATRICES, init: Init::Normal(0.02) }
    }
    const fn ones(path: &'static str, layers: Layers, shape: &'static [i64]) -> ParamRow {
        ParamRow { path, layers, shape, group: INPUT_SCALES, init: Init::Constant(1.0) }
    }
    const fn table(path: &'static str) -> ParamRow {
        ParamRow {
            path,
            layers: Layers::Outside,
            shape: &[256, S::WIDTH],
            group: OTHERS,
            init: Init::Normal(0.02),
        }
    }
    const OF_ATTENTION: &'static [Absorber] = &[
        Absorber::columns("attn.q.weight", [1, S::WIDTH, S::WIDTH], Entries::Each),
        Absorber::columns("attn.k.weight", [1, S::WIDTH, S::WIDTH], Entries::Each),
        Absorber::columns("attn.v.weight", [1, S::WIDTH, S::WIDTH], Entries::Each),
    ];
    const OF_MLP: &'static [Absorber] = &[
        Absorber::columns("mlp.gate.weight", [1, S::HIDDEN, S::WIDTH], Entries::Each),
        Absorber::columns("mlp.up.weight", [1, S::HIDDEN, S::WIDTH], Entries::Each),
    ];
    const OF_HEAD: &'static [Absorber] =
        &[Absorber::columns("unembed.weight", [1, 256, S::WIDTH], Entries::Each)];
}

impl<S: Size> Model for Hand<S> {
    const SPEC: &'static Spec = &Spec {
        name: S::NAME,
        hash: "00112233445566778899aabbccddeeff",
        vocab: 256,
        context: S::CONTEXT,
        num_layers: S::NUM_LAYERS,
        document_end: None,
        params: &[
            Self::table("embed.weight"),
            Self::ones("attn_norm.scale.magnitude", Self::ALL, &[]),
            Self::ones("attn_norm.scale.direction", Self::ALL, &[S::WIDTH]),
            Self::matrix("attn.q.weight", &[S::WIDTH, S::WIDTH]),
            Self::matrix("attn.k.weight", &[S::WIDTH, S::WIDTH]),
            Self::matrix("attn.v.weight", &[S::WIDTH, S::WIDTH]),
            Self::matrix("attn.o.weight", &[S::WIDTH, S::WIDTH]),
            Self::ones("mlp_norm.scale", Self::ALL, &[S::WIDTH]),
            Self::matrix("mlp.gate.weight", &[S::HIDDEN, S::WIDTH]),
            Self::matrix("mlp.up.weight", &[S::HIDDEN, S::WIDTH]),
            Self::matrix("mlp.down.weight", &[S::WIDTH, S::HIDDEN]),
            Self::ones("final_norm.scale", Layers::Outside, &[S::WIDTH]),
            Self::table("unembed.weight"),
        ],
        groups: &[
            GroupRow {
                name: "matrices",
                algorithm: S::ALGORITHMS[0],
                lr: 1e-2,
                weight_decay: 0.1,
                clipped: true,
                rule: "decay 0.1 on weight",
            },
            GroupRow {
                name: "input scales",
                algorithm: S::ALGORITHMS[1],
                lr: 2e-2,
                weight_decay: 0.02,
                clipped: false,
                rule: "decay 0.02 on scale",
            },
            GroupRow {
                name: "others",
                algorithm: ADAMW,
                lr: 5e-3,
                weight_decay: 0.0,
                clipped: true,
                rule: "decay 0 on embedding",
            },
        ],
        matrices: &[],
        units: S::UNITS,
        scales: &[
            scale("attn_norm.scale", Self::ALL, ScaleForm::MagnitudeDirection, Self::OF_ATTENTION),
            scale("mlp_norm.scale", Self::ALL, ScaleForm::Direct, Self::OF_MLP),
            scale("final_norm.scale", Layers::Outside, ScaleForm::Direct, Self::OF_HEAD),
        ],
        training: S::TRAINING,
        flops_per_token: 0.0,
    };

    fn new(params: &Params) -> Self {
        let layers = (0..S::NUM_LAYERS).map(|index| {
            let layer = params.layer(index);
            Layer {
                attn_norm: (layer.get("attn_norm.scale.magnitude"), layer.get("attn_norm.scale.direction")),
                q: layer.get("attn.q.weight"),
                k: layer.get("attn.k.weight"),
                v: layer.get("attn.v.weight"),
                o: layer.get("attn.o.weight"),
                mlp_norm: layer.get("mlp_norm.scale"),
                gate: layer.get("mlp.gate.weight"),
                up: layer.get("mlp.up.weight"),
                down: layer.get("mlp.down.weight"),
            }
        });
        Self {
            embed: params.get("embed.weight"),
            layers: layers.collect(),
            final_norm: params.get("final_norm.scale"),
            unembed: params.get("unembed.weight"),
            size: PhantomData,
        }
    }

    fn logits(&self, tokens_bt: &Tensor) -> Tensor {
        let mut stream = nn::embedding(&self.embed, tokens_bt);
        let num_tokens = tokens_bt.size2().expect("two dimensions").1;
        let head_dim = S::WIDTH / S::NUM_HEADS;
        let rope = nn::rope_table(num_tokens, head_dim, 10_000.0, self.embed.kind(), self.embed.device());
        let heads = |x: Tensor| x.unflatten(-1, [S::NUM_HEADS, head_dim]);
        for layer in &self.layers {
            let gamma = nn::magnitude_direction(&layer.attn_norm.0, &layer.attn_norm.1);
            let n = nn::rms_norm(&stream, 1, 1e-5) * gamma;
            let q = nn::rope(&heads(nn::linear(&n, &layer.q)), &rope);
            let k = nn::rope(&heads(nn::linear(&n, &layer.k)), &rope);
            let v = heads(nn::linear(&n, &layer.v));
            let context = nn::attention(&q, &k, &v, 1.0 / (head_dim as f64).sqrt(), None, None);
            let attended = stream + nn::linear(&context.flatten(2, 3), &layer.o);
            let n = nn::rms_norm(&attended, 1, 1e-5) * &layer.mlp_norm;
            let gated = nn::silu(&nn::linear(&n, &layer.gate)) * nn::linear(&n, &layer.up);
            stream = attended + nn::linear(&gated, &layer.down);
        }
        nn::linear(&(nn::rms_norm(&stream, 1, 1e-5) * &self.final_norm), &self.unembed)
    }

    fn loss(&self, tokens_bt: &Tensor, targets_bt: &Tensor) -> Tensor {
        nn::cross_entropy(&self.logits(tokens_bt), targets_bt)
    }
}
