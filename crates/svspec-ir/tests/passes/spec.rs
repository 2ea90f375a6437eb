//! Spec text in, checked model out.

use svspec_diagnostics::{Diagnostic, Sources};
use svspec_ir::{CheckedModel, Loader, load};

/// The text of the project's smallest spec.
pub const NANO: &str = include_str!("../../../../specs/nano.svspec");

struct NoImports;

impl Loader for NoImports {
    fn load(&mut self, _: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("no file `{path}` in this test"))
    }
}

/// Compiles `target` of `text`; its faults where it has any.
pub fn try_compile(text: &str, target: &str) -> Result<CheckedModel, Vec<Diagnostic>> {
    let mut sources = Sources::new();
    let entry = sources.add("test.svspec", text);
    let (program, findings) = load(&mut sources, entry, &mut NoImports);
    assert!(findings.is_empty(), "the text parses: {findings:#?}");
    svspec_ir::compile(&program, &sources, target).map(|compiled| compiled.checked)
}

/// Compiles `target` of `text`, which has no faults.
pub fn compile(text: &str, target: &str) -> CheckedModel {
    try_compile(text, target).unwrap_or_else(|faults| panic!("{target} has no faults: {faults:#?}"))
}

/// A small model: `settings` among its settings, `attn` in the braces of its attention, `layer` its equations, `more`
/// its other statements.
pub struct Sketch<'a> {
    pub settings: &'a str,
    pub attn: &'a str,
    pub parts: &'a str,
    pub embedding: &'a str,
    pub layer: &'a str,
    pub placements: &'a str,
    pub optimizer: &'a str,
}

impl Default for Sketch<'_> {
    fn default() -> Self {
        Self {
            settings: "",
            attn: "rope",
            parts: "rms_norm attn_norm, mlp_norm, final_norm",
            embedding: "x = embed(tokens)",
            layer: "x = x + attn(attn_norm(x))\n x = x + mlp(mlp_norm(x))",
            placements: "",
            optimizer: "decay 0 on all",
        }
    }
}

impl Sketch<'_> {
    pub fn text(&self) -> String {
        let Self { settings, attn, parts, embedding, layer, placements, optimizer } = self;
        format!(
            "svspec 1
model small {{
    vocab = 16
    context = 8
    width = 8
    {settings}
    attention attn {{ heads = 2, {attn} }}
    swiglu mlp {{ hidden = 12 }}
    {parts}
    {embedding}
    layer {{
        {layer}
    }}
    stack = 2 * layer
    logits = unembed(final_norm(x))
    {placements}
}}
optimizer adamw {{
    lr = 1e-3
    {optimizer}
}}
"
        )
    }

    pub fn compile(&self) -> CheckedModel {
        compile(&self.text(), "small")
    }
}
