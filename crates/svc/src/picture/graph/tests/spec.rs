//! Spec text to a checked model, for pictures of what users write.

use svspec_diagnostics::Sources;
use svspec_ir::{CheckedModel, Loader};

struct NoImports;

impl Loader for NoImports {
    fn load(&mut self, _importer: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("{path}: these specs import nothing"))
    }
}

/// The target called `target` of `text`.
pub fn checked(text: &str, target: &str) -> CheckedModel {
    let mut sources = Sources::new();
    let entry = sources.add("test.svspec", text);
    let (program, findings) = svspec_ir::load(&mut sources, entry, &mut NoImports);
    match svspec_ir::compile(&program, &sources, target) {
        Ok(compiled) => compiled.checked,
        Err(errors) => panic!("{target}: {findings:#?} {errors:#?}"),
    }
}

/// Every target of the project's smallest spec.
pub const NANO: &str = include_str!("../../../../../../specs/nano.svspec");

/// Norms on both sides, QK-norm, soft caps, two kinds of layer, a tied and scaled embedding.
pub const GEMMA_LIKE: &str = "svspec 1
model gemma_like {
    vocab = 256
    context = 64
    width = 48
    tie_embeddings = on
    attention near { heads = 4, kv_heads = 2, head_dim = 12, window = 16, rope { theta = 10_000 } }
    attention far { heads = 4, kv_heads = 2, head_dim = 12, soft_cap = 50, rope { theta = 1e6 } }
    geglu mlp { hidden = 96 }
    rms_norm attn_norm, attn_out_norm, mlp_norm, mlp_out_norm, final_norm { eps = 1e-6 }
    near.{q, k}, far.{q, k} : out normalize(head) + scale
    scale : one_plus
    x = embed(tokens) * sqrt(width)
    layer local {
        x = x + attn_out_norm(near(attn_norm(x)))
        x = x + mlp_out_norm(mlp(mlp_norm(x)))
    }
    layer global {
        x = x + attn_out_norm(far(attn_norm(x)))
        x = x + mlp_out_norm(mlp(mlp_norm(x)))
    }
    stack = 2 * (5 * local + global)
    logits = softcap(unembed(final_norm(x)), 30)
}
optimizer adamw { lr = 1e-3, decay 0.1 on all, decay 0 on scale where role == output and layer > 6 }
";

/// Attention and MLP side by side on one norm, with residual multipliers by depth.
pub const PARALLEL: &str = "svspec 1
model parallel {
    vocab = 256
    context = 64
    width = 48
    attention attn { heads = 4 }
    mlp mlp { hidden = 96, bias = on }
    layer_norm norm, final_norm {}
    layer { x = x + attn(norm(x)) + mlp(norm(x)) * (1/sqrt(layer)) }
    stack = 4 * layer
    logits = unembed(final_norm(x))
}
optimizer adamw { lr = 1e-3, decay 0.1 on weight, decay 0 on scale, embedding, bias }
";
