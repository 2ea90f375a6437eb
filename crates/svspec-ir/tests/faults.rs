//! Faults beyond the pages' examples: several in one run, awkward ones, and what follows from them. Read the snapshots.

#[path = "faults/mixtures.rs"]
mod mixtures;
#[path = "faults/training.rs"]
mod training;

use svspec_diagnostics::{Color, Diagnostic, Severity, Sources, render_text};
use svspec_ir::{Loader, check, compile, load};

/// Nothing can be imported.
struct Nothing;

impl Loader for Nothing {
    fn load(&mut self, _importer: &str, _path: &str) -> Result<(String, String), String> {
        Err("no such file".to_owned())
    }
}

fn report(text: &str) -> String {
    report_if(text, |_| true)
}

/// What is rendered of the findings that `is_shown`.
fn report_if(text: &str, is_shown: impl Fn(&Diagnostic) -> bool) -> String {
    let mut sources = Sources::new();
    let entry = sources.add("spec.svspec", text);
    let (program, mut findings) = load(&mut sources, entry, &mut Nothing);
    findings.extend(check(&program, &sources));
    let shown: Vec<Diagnostic> = findings.into_iter().filter(|finding| is_shown(finding)).collect();
    render_text(&shown, &sources, Color::Plain)
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
        \x20   init orthogonal(3) on scale where layer == first\n\
        }\n\
        train { steps = 1.5, batch = 7 steps, micro_batch = 3, schedule = lineer, clip = 0 }\n";
    insta::assert_snapshot!(report(text));
}

/// Values with heads that do not go together.
#[test]
fn heads() {
    let parts = "    linear q { heads = 4, out = 6 }\n    linear k { heads = 2, out = 8 }\n    linear o { out = width }\n    \
                 rope turn { fraction = 50% }\n    attend look\n";
    let layer = |equation: &str| small(parts).replace("x + attn(norm(x))", equation);
    let cases = [
        ("keys of another size", layer("o(look(q(x), k(x), k(x)))")),
        ("heads that do not divide", layer("o(look(k(x), q(x), q(x)))")),
        ("attention to flat values", layer("o(look(q(x), x, x))")),
        ("an odd number of rotating channels", layer("o(turn(q(x)))")),
        ("rotation of a flat value", layer("turn(x)")),
        ("a slice past the end", layer("o(slice(q(x), 2, 7))")),
        ("a slice of nothing", layer("o(slice(q(x), 3, 3))")),
        ("a slice of nothing in one layer", layer("o(slice(q(x), layer - 1, 1))")),
        ("heads side by side with other heads", layer("o(concat(q(x), k(x)))")),
        ("heads beside none", layer("o(concat(q(x), x))")),
        ("one value to put side by side", layer("o(concat(q(x)))")),
        ("heads apart", layer("o(split_heads(x, 5) + split_heads(q(x), 2))")),
        ("nothing to join", layer("join_heads(x)")),
        ("sums over heads", layer("o(q(x) + k(x))")),
    ];
    // Parts that a case does not need are no fault of it.
    let errors = |text: &str| report_if(text, |finding| finding.severity == Severity::Error);
    let report = cases.map(|(name, text)| format!("### {name}\n{}\n", errors(&text))).concat();
    insta::assert_snapshot!(report);
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
        (
            "too many values for a part, too few, a number for one",
            small("").replace("x + attn(norm(x))", "attn(x, x) + norm() + attn(3)"),
        ),
        (
            "a gate of two channels",
            small("    linear gate { out = 2 }\n").replace("x + attn(norm(x))", "x * gate(x)"),
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

/// Each must be told once, at its cause, and nothing that was written may be ignored.
#[test]
fn slips() {
    let layer = |equations: &str| {
        small("    swiglu mlp { hidden = 128 }\n").replace("x = x + attn(norm(x))", equations)
    };
    let place = |placement: &str| small(&format!("    {placement}\n"));
    let rule = |rule: &str| {
        small("").replace("decay 0 on embedding, bias", &format!("decay 0 on embedding\n{rule}"))
    };
    let train = |settings: &str| format!("{}train {{ {settings} }}\n", small(""));
    let cases = [
        ("a value that nothing reads", layer("h = attn(norm(x)), x = x + mlp(x)")),
        ("a value that is given another one", layer("h = attn(norm(x)), h = mlp(x), x = x + h")),
        ("a residual stream that is cut", layer("h = x, x = attn(norm(x)), x = h + mlp(h)")),
        ("a part without its argument", layer("x = x + attn(norm) + mlp(x)")),
        ("a value that is not there", layer("x = x + attn(h), x = x + mlp(norm(x))")),
        ("a value called as a setting is", layer("width = attn(norm(x)), x = x + mlp(width)")),
        ("a setting of a part said twice", small("    attn.heads = 2\n")),
        ("two layers of one name", small("    layer { x = x }\n")),
        ("two parts of one name and of two kinds", small("    mlp norm { hidden = 3 }\n")),
        ("a part called as a selector is", small("    scale bias\n")),
        ("constants that name only each other", small("    a = b\n    b = a\n")),
        ("a setting that three parts share", small("    rms_norm a, b, c { eps = -1, bias = on }\n")),
        ("a normalisation over two extents", place("attn.q : out normalize(head, full)")),
        ("a vector of two roles", place("attn.q : out scale(input, output)")),
        ("a vector of two forms", place("attn.q : out scale(direct, one_plus)")),
        ("an extent that is none", place("attn.q : out normalize(heads)")),
        ("a placement at the embedding", place("embed : out scale")),
        ("a role that is none", rule("lr 2 on scale where role == inptu")),
        ("a site that is none", rule("lr 2 on scale where site != qk")),
        ("a weight by its role", rule("lr 2 on embedding, scale, attn.q.weight where role == input")),
        ("an embedding by its layer", rule("lr 2 on embedding, weight where layer == 1")),
        ("clipping by a number", rule("clip 1 on weight")),
        ("no decay by a word", rule("decay off on bias")),
        ("an optimizer that is none", rule("use adam on attn")),
        ("Muon by a part that is none", rule("use muon(heads) on attn")),
        ("one beta", rule("betas 0.9 on embedding")),
        ("betas of what AdamW does not step", rule("use sgd on attn\nbetas (0.9, 0.99) on attn")),
        ("a norm of a number", rule("unit 1 on attn")),
        ("norms of vectors", rule("unit rows on scale, bias")),
        ("two factors for eight frequencies", small("    attn.rope.longrope.factors = (1, 2)\n")),
        ("a factor that is no list", small("    attn.rope.longrope.factors = 2\n")),
        ("a factor of 0", small("    attn.rope.longrope.factors = (1, 0)\n")),
        ("a softplus from zero", {
            small("    scale gain { init = 0 }\n    gain.scale : softplus\n")
                .replace("x + attn(norm(x))", "x + gain(attn(norm(x)))")
        }),
        ("sines without cosines", {
            small("    sinusoids pos\n    x = embed(tokens) + pos(tokens)\n")
                .replace("width = 64", "width = 63")
                .replace("heads = 4", "heads = 3")
        }),
        ("a window without attention", small("    mlp ffn { hidden = 3, window = 4 }\n")),
        ("a scale of Muon by a number", rule("muon { scale = 0.2 }")),
        ("a setting of SGD that is none", rule("sgd { momentun = 0.9 }")),
        ("a rule among Muon's settings", rule("muon { lr 2 on attn }")),
        ("a shape that is none", train("steps = 10, batch = 8, schedule = wsd { shape = square }")),
        ("a shape of what has none", train("steps = 10, batch = 8, schedule = cosine { shape = sqrt }")),
        (
            "a warm-up longer than the run",
            train("steps = 10, batch = 8, schedule = linear { warmup = 1M tokens }"),
        ),
        ("a batch in steps", train("steps = 10, batch = 8 steps")),
        ("no evaluation by 0", train("steps = 10, batch = 8, eval_every = 0")),
        ("no checkpoint kept", train("steps = 10, batch = 8, keep_last = 0")),
        ("half the checkpoints", train("steps = 10, batch = 8, keep_every = 0.5")),
        ("clipping by `on`", train("steps = 10, batch = 8, clip = on")),
        ("two blocks of one setting", train("steps = 10, batch = 8 }\ntrain { steps = 20")),
        (
            "two blocks of one setting, in a variant",
            format!(
                "{}variant v of small {{ train {{ steps = 9, batch = 8 }}, train {{ steps = 8 }} }}\n",
                small("")
            ),
        ),
        (
            "two optimizer blocks of one setting",
            format!("{}optimizer {{ lr = 1 }}\noptimizer {{ lr = 2 }}\n", small("")),
        ),
        (
            "an optimizer that is none, in a variant",
            format!("{}variant v of small {{ optimizer sgd {{ lr = 1 }} }}\n", small("")),
        ),
    ];
    let reports: Vec<String> =
        cases.iter().map(|(name, text)| format!("### {name}\n{}", report(text))).collect();
    insta::assert_snapshot!(reports.join("\n"));
}

/// Numbers that differ from layer to layer: a fault that several layers share is told once, with the layers.
#[test]
fn numbers_by_layer() {
    let set = |settings: &str| small(&format!("    {settings}\n")).replace("2 * layer\n", "5 * layer\n");
    let layer = |equation: &str| set("").replace("x + attn(norm(x))", equation);
    let heads = |heads: &str, extra: &str| set(extra).replace("heads = 4", &format!("heads = {heads}"));
    let cases = [
        ("heads that do not divide the width in some layers", heads("2 + layer", "")),
        ("heads that are no whole number in some layers", heads("3 + layer / 2", "")),
        ("heads that are no whole number in any layer", heads("layer + 0.5", "")),
        ("a part that nothing knows, in every layer", heads("layer * unknown", "")),
        ("a setting that is wrong in every layer alike", heads("2 ^ layer", "attn.soft_cap = -1")),
        ("a constant by layer, in one layer", heads("count", "count = 8 / (5 - layer)")),
        ("a window that is too small in one layer", set("attn.window = layer - 1")),
        ("a base that is none in two layers", set("attn.rope.theta = layer - 2")),
        ("a number of the model", set("").replace("vocab = 256", "vocab = 100 * layer")),
        (
            "a number of the model, through a constant",
            set("base = 100 * layer").replace("vocab = 256", "vocab = base"),
        ),
        ("a part outside the layers", set("final_norm.eps = 1e-5 * layer")),
        ("a placement outside the layers", set("unembed : in scale { init = 1 / layer }")),
        (
            "the optimizer's rate",
            set("").replace("optimizer adamw {", "optimizer adamw { lr = 1e-3 / layer,"),
        ),
        ("how long a model trains", format!("{}train {{ steps = 10 * layer, batch = 8 }}\n", set(""))),
        ("a cap that is none in one layer", layer("softcap(attn(norm(x)), 3 - layer)")),
        ("bounds that meet in one layer", layer("clamp(attn(norm(x)), layer, 3)")),
        ("a layer whose sizes do not fit in one layer", {
            set("linear l { out = 66 - layer }").replace("x + attn(norm(x))", "x + attn(norm(x)) * l(x)")
        }),
        ("an exponential that starts at 0 in one layer", {
            set("scale g { init = layer - 1 }\n    g.scale : exp_magnitude_direction")
                .replace("attn(norm(x))", "g(attn(norm(x)))")
        }),
    ];
    let reports: Vec<String> =
        cases.iter().map(|(name, text)| format!("### {name}\n{}", report(text))).collect();
    insta::assert_snapshot!(reports.join("\n"));
}

/// Definitions of parts, and what can be wrong with them and with their use.
#[test]
fn defined_parts() {
    let dyt = "scale slope { size = scalar, init = init }\n    scale gain\n    y = gain(tanh(slope(x)))";
    let with = |definition: &str, extra: &str| {
        small(extra).replacen("model small", &format!("{definition}\nmodel small"), 1)
    };
    let of = |body: &str, extra: &str, branch: &str| {
        with(&format!("part dyt(x) {{\n    {body}\n}}"), extra).replace("attn(norm(x))", branch)
    };
    let sound = format!("init = 0.5\n    {dyt}");
    let cases = [
        ("a setting that it has not", of(&sound, "    dyt n { inti = 1 }\n", "attn(norm(n(x)))")),
        (
            "a setting that it must be given",
            of(&format!("init\n    {dyt}"), "    dyt n\n", "attn(norm(n(x)))"),
        ),
        ("a setting out of range", of(&sound, "    dyt n { init = on }\n", "attn(norm(n(x)))")),
        (
            "a setting of a part within that is not there",
            of(&sound, "    n.gain.eps = 1\n    dyt n\n", "attn(norm(n(x)))"),
        ),
        ("two values for one input", of(&sound, "    dyt n\n", "attn(norm(n(x, x)))")),
        ("a placement at all of it", of(&sound, "    dyt n\n    n : normalize\n", "attn(norm(n(x)))")),
        (
            "a placement at a part that it has not",
            of(&sound, "    dyt n\n    n.gian : scale\n", "attn(norm(n(x)))"),
        ),
        ("a part that nothing uses", of(&sound, "    dyt n\n", "attn(norm(x))")),
        (
            "a part of the model in a definition",
            of(&sound.replace("slope(x)", "norm(x)"), "    dyt n\n", "attn(norm(n(x)))"),
        ),
        (
            "a constant of the model in a definition",
            of(
                &sound.replace("0.5", "alpha"),
                "    alpha = 2\n    dyt n { init = alpha }\n",
                "attn(norm(n(x)))",
            ),
        ),
        (
            "a value that nothing reads, a setting likewise",
            of(
                &format!("{sound}\n    depth = 3").replace("y =", "h = gain(x)\n    y ="),
                "    dyt n\n",
                "attn(norm(n(x)))",
            ),
        ),
        (
            "a layer in a definition",
            of(&format!("{sound}\n    layer {{ x = x }}"), "    dyt n\n", "attn(norm(n(x)))"),
        ),
        ("a kind that the language has", with("part mlp(x) {\n    y = x\n}", "")),
        (
            "a kind said twice",
            with("part a(x) {\n    y = 2 * x\n}\npart a(x) {\n    y = 3 * x\n}", "    a n\n")
                .replace("attn(norm(x))", "attn(norm(n(x)))"),
        ),
        (
            "names that clash",
            with(
                "part a(x, x) {\n    scale tanh\n    scale x\n    layers = x\n    y = tanh(layers)\n}",
                "    a n\n",
            )
            .replace("attn(norm(x))", "attn(norm(n(x)))"),
        ),
        ("a kind misspelt", of(&sound, "    dty n\n", "attn(norm(n(x)))")),
        (
            "shapes that do not go together",
            of("linear l { out = 3 }\n    y = x + l(x)", "    dyt n\n", "attn(norm(n(x)))"),
        ),
        ("definitions that double at every step", {
            let chain: Vec<String> = (1..20)
                .map(|n| format!("part p{n}(x) {{\n    p{} a, b\n    y = a(b(x))\n}}\n", n - 1))
                .collect();
            let chain = chain.concat();
            with(&format!("part p0(x) {{\n    scale s\n    y = s(x)\n}}\n{chain}"), "    p19 n\n")
                .replace("attn(norm(x))", "attn(norm(n(x)))")
        }),
    ];
    let reports: Vec<String> =
        cases.iter().map(|(name, text)| format!("### {name}\n{}", report(text))).collect();
    insta::assert_snapshot!(reports.join("\n"));
}

/// A fault says which variant it comes from where its place does not, and is told once.
#[test]
fn faults_of_several_targets() {
    let with = |variants: &str| report(&format!("{}{variants}", small("")));
    let cases = [
        ("a size that the base's parts do not fit", with("variant wide of small { width = 66 }\n")),
        (
            "a technique where its parts are not",
            with(
                "model other { vocab = 256, context = 64, width = 64, scale g, layer { x = x + g(x) }, stack = layer, \
                 logits = unembed(x) }\nvariant hg of small { norm : normalize, attn.q : in scale }\nvariant v of \
                 other with hg {}\n",
            ),
        ),
        (
            "one lint, three variants",
            with(
                "variant a of small { attn.{q, k} : out normalize(head) + scale }\nvariant b of small with a { attn.v : \
                 out scale }\nvariant c of small { norm : normalize, attn.v : out scale }\n",
            ),
        ),
        (
            "a circle of three",
            with("variant a of b {}\nvariant b of c {}\nvariant c of a {}\nvariant d of a {}\n"),
        ),
        ("a circle of `with`", with("variant a of small with b {}\nvariant b of small with a {}\n")),
        (
            "a layer of the base that a variant leaves out",
            with("variant a of small { layer other { x = x + attn(x) }, stack = other }\n"),
        ),
    ];
    let reports: Vec<String> = cases.iter().map(|(name, report)| format!("### {name}\n{report}")).collect();
    insta::assert_snapshot!(reports.join("\n"));
}

#[test]
fn no_model_comes_without_a_fault() {
    let text = "svspec 1\nimport \"base.svspec\"\nvariant v of base { width = 128 }\n";
    let mut sources = Sources::new();
    let entry = sources.add("spec.svspec", text);
    let (program, findings) = load(&mut sources, entry, &mut Nothing);
    assert_eq!(findings.iter().map(|finding| finding.name).collect::<Vec<_>>(), ["import-not-found"]);
    assert_eq!(check(&program, &sources), [], "what follows from the import is not told again");
    let faults = compile(&program, &sources, "v").expect_err("there is no base");
    assert_eq!(faults.iter().map(|finding| finding.name).collect::<Vec<_>>(), ["unknown-base"]);
}

#[test]
fn fans_out_of_place_and_out_of_range() {
    let variants = "variant misspelt of small {
    optimizer {
        init normal(fan_inn) on attn
        init uniform(pow(fan_in, 2)) on attn
    }
}
variant scaled of small {
    attn.scale = 1 / fan_in
}
variant negative of small {
    optimizer {
        init normal(sqrt(fan_in - 64.5)) on attn.o
        lr 1 - fan_out on attn.q
    }
}
";
    insta::assert_snapshot!(report(&format!("{}{variants}", small(""))));
}

#[test]
fn heads_that_a_tensor_has_not_are_not_set_apart() {
    let names = "    tensors huggingface {\n\
        \x20       embed.weight = \"embed.weight\"\n\
        \x20       norm.scale = \"layers.{layer}.norm.{head}.weight\"\n\
        \x20       attn.{q, k, v}.weight = by_head(\"layers.{layer}.{}.weight\")\n\
        \x20       attn.o.weight = by_head(\"layers.{layer}.o.weight\")\n\
        \x20       final_norm.scale = by_head(\"final_norm.{expert}.weight\")\n\
        \x20       unembed.weight = \"unembed.weight\"\n\
        \x20   }\n";
    insta::assert_snapshot!(report(&small(names)));
}

#[test]
fn a_tied_head_fits_the_table() {
    let narrow = "    tie_embeddings = on, embed.width = 16\n    linear widen { out = width }\n    x = widen(embed(tokens))\n";
    insta::assert_snapshot!(report(&small(narrow)));
}

#[test]
fn what_ends_a_document_is_a_token() {
    let with = |end: &str| report(&small(&format!("    document_end = {end}\n")));
    assert_eq!(with("vocab - 1"), "");
    insta::assert_snapshot!(["vocab", "-1", "2.5", "on"].map(with).join("\n"));
    insta::assert_snapshot!("without_one", report(&small("    attn.head_dim = document_end\n")));
}

/// 30 / 44 · 44 is not 30 in floating point, and is meant to be.
#[test]
fn a_fraction_of_a_head_is_counted_in_channels() {
    let head = "    attn.head_dim = 44, attn.rope.fraction = 30 / 44\n";
    assert_eq!(report(&small(head)), "");
    insta::assert_snapshot!(report(&small(
        "    attn.head_dim = 10, attn.rope.fraction = 25%, attn.rope.tetha = 2\n"
    )));
}
