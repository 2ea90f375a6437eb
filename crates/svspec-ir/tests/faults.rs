//! Faults beyond the pages' examples: several in one run, awkward ones, and what follows from them. Read the snapshots.

use svspec_diagnostics::{Color, Sources, render_text};
use svspec_ir::{Loader, check, load};

/// Nothing can be imported.
struct Nothing;

impl Loader for Nothing {
    fn load(&mut self, _importer: &str, _path: &str) -> Result<(String, String), String> {
        Err("no such file".to_owned())
    }
}

fn report(text: &str) -> String {
    let mut sources = Sources::new();
    let entry = sources.add("spec.svspec", text);
    let (program, mut findings) = load(&mut sources, entry, &mut Nothing);
    findings.extend(check(&program, &sources));
    render_text(&findings, &sources, Color::Plain)
}

const OPTIMIZER: &str = "optimizer adamw { decay 0.1 on weight, scale, decay 0 on embedding, bias }\n";

/// A small model whose body is `extra`, with parts, equations and sizes around it.
fn small(extra: &str) -> String {
    format!(
        "svspec 1\nmodel small {{\n    vocab = 256, context = 64, width = 64\n    attention attn {{ heads = 4 }}\n    \
         rms_norm norm, final_norm\n    layer {{ x = x + attn(norm(x)) }}\n    stack = 2 * layer\n    \
         logits = unembed(final_norm(x))\n{extra}}}\n{OPTIMIZER}"
    )
}

#[test]
fn many_faults_in_one_run() {
    let text = "svspec 1\n\
        model small {\n\
        \x20   vocab = 256, context = 64.5, width = 60\n\
        \x20   attention attn { heads = 7, kv_heads = 2, rpe }\n\
        \x20   swiglu mlp { hiden = 128 }\n\
        \x20   rms_norm norm { eps = -1 }\n\
        \x20   attn.{q, z} : out normalise + scale\n\
        \x20   norm.scale : one_pus\n\
        \x20   layer {\n\
        \x20       x = x + attn(nrm(x))\n\
        \x20       x = x + mlp(norm(y))\n\
        \x20   }\n\
        \x20   stack = 2.5 * layer\n\
        \x20   logits = unembed(x, 3)\n\
        }\n\
        variant wide of smal { width = 128 }\n\
        optimizer adamw {\n\
        \x20   lr = fast\n\
        \x20   decay -1 on weigth where rol == input\n\
        \x20   init uniform(3) on scale where layer == first\n\
        }\n\
        train { steps = 1.5, batch = 7 steps, micro_batch = 3, schedule = linear, clip = 0 }\n";
    insta::assert_snapshot!(report(text));
}

#[test]
fn awkward_ones() {
    let cases = [
        (
            "a circle through the stack",
            small("    depth = layers\n    stack2 = depth\n").replace("2 * layer", "depth * layer"),
        ),
        (
            "layers of another width",
            small("    linear l { out = 32 }\n").replace("x + attn(norm(x))", "l(x)"),
        ),
        (
            "a part of two sizes",
            small("    linear l { out = 32 }\n")
                .replace("x + attn(norm(x))", "x + attn(norm(x) ) + attn(l(x))"),
        ),
        ("per-head norms where there are no heads", small("    attn.o : out normalize(head) + scale\n")),
        ("no layers", small("").replace("2 * layer", "0 * layer")),
        ("a billion layers", small("").replace("2 * layer", "1B * layer")),
        ("a billion heads", small("").replace("heads = 4", "heads = 1B")),
        ("wide heads", small("").replace("heads = 4", "heads = 4096, head_dim = 4096")),
        (
            "rule by layer on a tensor outside the stack",
            small("").replace("decay 0 on embedding", "decay 0 * layer on embedding"),
        ),
        ("an unknown optimizer", small("").replace("adamw", "sgd")),
        ("no optimizer", small("").replace(OPTIMIZER, "")),
        ("a variant with a model", format!("{}variant v of small with small {{}}\n", small(""))),
        ("a variant with itself", format!("{}variant v of small with v {{}}\n", small(""))),
        ("two models of one name", format!("{}model small {{}}\n", small(""))),
        (
            "an exponential from zero",
            small("    scale gain { init = 0 }\n    scale : exp_magnitude_direction\n")
                .replace("x + attn(norm(x))", "x + gain(attn(norm(x)))"),
        ),
        ("unembed in a layer", small("").replace("x + attn(norm(x))", "x + unembed(x)")),
        ("embed in a layer", small("").replace("x + attn(norm(x))", "x + embed(tokens)")),
        ("tokens as numbers", small("    x = tokens\n")),
        ("a number as the embedding", small("    x = 3\n")),
        ("layer outside a layer", small("    x = embed(tokens) * layer\n")),
        ("a power of a value", small("").replace("x + attn(norm(x))", "x ^ 2")),
        (
            "a division by zero in one layer",
            small("").replace("x + attn(norm(x))", "x + attn(norm(x)) / (layer - 1)"),
        ),
        ("a cap by layer", small("").replace("x + attn(norm(x))", "softcap(x, layer)")),
    ];
    let reports: Vec<String> =
        cases.iter().map(|(name, text)| format!("### {name}\n{}", report(text))).collect();
    insta::assert_snapshot!(reports.join("\n"));
}

#[test]
fn a_comment_silences_the_lint_below_it() {
    let lint =
        "decay 0.1 on weight\n// svc: allow undecayed-input-scale: REASON\ndecay 0 on scale, embedding, bias";
    let with = |reason: &str| {
        let rules = format!("optimizer adamw {{\n{}\n}}\n", lint.replace("REASON", reason));
        report(&small("").replace(OPTIMIZER, &rules))
    };
    assert_eq!(with("the baseline"), "");
    assert!(with("").contains("undecayed-input-scale"), "a reason is asked for");
    assert!(with("x").is_empty());
    assert!(
        report(
            &small("")
                .replace(OPTIMIZER, "optimizer adamw { decay 0.1 on weight, decay 0 on scale, embedding }")
        )
        .contains("undecayed-input-scale")
    );
}
