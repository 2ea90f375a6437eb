//! Features of the language, each in a few lines, and the graph they become. Of every graph, each node's dimensions are
//! those that its op infers.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use svspec_diagnostics::{Color, Sources, render_text};
use svspec_ir::{Dim, Loader, Model, Op, compile, load, print};

/// Nothing can be imported.
struct Nothing;

impl Loader for Nothing {
    fn load(&mut self, _importer: &str, _path: &str) -> Result<(String, String), String> {
        Err("no such file".to_owned())
    }
}

fn model(text: &str, target: Option<&str>) -> Model {
    let mut sources = Sources::new();
    let entry = sources.add("spec.svspec", text);
    let (program, findings) = load(&mut sources, entry, &mut Nothing);
    assert_eq!(findings, []);
    let target = target.or(program.default_target()).expect("a target").to_owned();
    match compile(&program, &sources, &target) {
        Ok(compiled) => compiled.checked.model().clone(),
        Err(findings) => panic!("{}", render_text(&findings, &sources, Color::Plain)),
    }
}

/// A model of width 8 with the given statements.
fn tiny(statements: &str) -> Model {
    let text = format!(
        "svspec 1\nmodel tiny {{\nvocab = 16, context = 8, width = 8\n{statements}\n}}\n\
         optimizer adamw {{ decay 0 on all }}\n"
    );
    model(&text, None)
}

fn assert_dims_are_inferred(model: &Model) {
    for region in &model.regions {
        // What a region is given has the dimensions of the region before it, which an op does not see.
        for node in region.nodes.iter().filter(|node| !matches!(node.op, Op::Input(_))) {
            let inputs: Vec<&[Dim]> =
                node.inputs.iter().map(|input| region.nodes[input.0].dims.as_slice()).collect();
            let inferred = node.op.operation().infer(model, &inputs);
            assert_eq!(inferred.as_ref(), Ok(&node.dims), "{} of {}", node.name, model.name);
        }
    }
}

#[test]
fn features() {
    let cases = [
        (
            "biases, grouped heads, partial rotary positions, a window and caps",
            "attention a { heads = 4, kv_heads = 2, bias = qkv, window = 4, soft_cap = 50, rope { fraction = 0.5 }, head_dim = 4, scale = 0.25 }\n\
             layer { x = x + a(x) }\nstack = 1 * layer\nlogits = softcap(unembed(x), 30)",
        ),
        (
            "rotary positions in pairs of neighbours, scaled frequencies",
            "attention a { heads = 2, rope { layout = interleaved, linear { factor = 2 } } }\n\
             attention b { heads = 2, rope { theta = 5e5, llama3 { factor = 8, original_context = 16 } } }\n\
             attention c { heads = 2 }\nc.rope.yarn.factor = 4\nc.rope.yarn.original_context = 16\nc.rope.yarn.truncate = off\n\
             attention d { heads = 2, rope { longrope { factors = (1, 2 ^ 0.5), attention_factor = 1.25 } } }\n\
             layer { x = x + a(x) + b(x) + c(x) + d(x) }\nstack = 1 * layer\nlogits = unembed(x)",
        ),
        (
            "learned positions, biases by port, sinks, clipped projections, a clamp",
            "attention a { heads = 2, bias = qkv, sinks = on, clip = 8 }\na.{k, o}.bias = on\na.q.bias = off\nunembed.bias = on\n\
             positions pos { offset = 2 }\nx = embed(tokens) + pos(tokens)\n\
             gated m { hidden = 16, activation = gelu_quick }\nm.down.bias = on\nbias b { init = 0.5 }\n\
             layer { x = x + clamp(a(x), -1, 2) + b(m(x)) }\nstack = 1 * layer\nlogits = unembed(x)",
        ),
        (
            "sines and cosines of positions, slopes, a softplus of a vector, elu",
            "attention a { heads = 2, alibi }\nattend look { alibi { bound = 4 } }\nlinear q { heads = 2, out = 4 }\n\
             linear o { out = width }\n\
             sinusoids first\nsinusoids second { theta = 100, layout = half, offset = 2 }\nx = first(tokens) + second(tokens)\n\
             scale g { size = scalar, init = 0.5 }\ng.scale : softplus\n\
             layer { x = x + a(g(elu(x))) + o(look(q(x), q(x), q(x))) }\nstack = 1 * layer\nlogits = unembed(x)",
        ),
        (
            "LayerNorm and additive vectors at ports",
            "attention a { heads = 2 }\na.q : out layer_normalize(head) + scale(full) + bias\na.k : out layer_normalize(head) + bias\n\
             a.o : in bias\nlayer_norm n\nn : normalize + scale\n\
             layer { x = x + a(n(x)) }\nstack = 1 * layer\nlogits = unembed(x)",
        ),
        (
            "layer norm, feed-forward with bias, tied head, scaled embedding",
            "layer_norm n\nmlp m { hidden = 16, activation = relu2, bias = on }\ntie_embeddings = on\n\
             x = embed(tokens) * sqrt(width)\nlayer { x = x + m(n(x)) }\nstack = 1 * layer\nlogits = unembed(x)",
        ),
        (
            "two kinds of layer, shared parts, constants by depth",
            "geglu g { hidden = 16 }\nnormalize n { eps = 1e-6 }\nalpha = 2 ^ 0.5\n\
             layer a { h = n(x), x = x + g(h) / sqrt(layer) }\nlayer b { x = alpha * x - g(n(x)) }\n\
             stack = 2 * (a + b) + a\nlogits = unembed(n2(x))\nnormalize n2",
        ),
        (
            "tanh in place of a norm, a scalar gate, a bottleneck",
            "scale a { size = scalar, init = 0.5 }\nscale b\nlinear down { out = 2 }\nlinear up { out = width, bias = on }\n\
             layer { y = b(tanh(a(x))), x = x + silu(up(down(y))) * y }\nstack = 1 * layer\nlogits = unembed(x)",
        ),
        (
            "every extent of a vector, every form",
            "attention a { heads = 2 }\na.q : out normalize(head) { eps = 1e-6 } + scale\na.k : out normalize + scale(head)\n\
             a.v : out scale(scalar)\na.o : in scale(per_head) { init = 0.5 }\nunembed : in normalize + scale(one_plus)\n\
             scale : exp_magnitude_direction\na.q.out_scale : magnitude_direction\na.k.out_scale : direct\n\
             layer { x = x + a(x) }\nstack = 1 * layer\nlogits = unembed(x)",
        ),
    ];
    let mut prints = Vec::new();
    for (name, statements) in cases {
        let model = tiny(statements);
        assert_dims_are_inferred(&model);
        prints.push(format!("### {name}\n{statements}\n\n{}", print::ir(&model)));
    }
    insta::assert_snapshot!(prints.join("\n"));
}

/// The ops of every region with their inputs and sizes: all that a graph says, names aside.
fn anatomy(model: &Model) -> Vec<String> {
    let nodes = model.regions.iter().flat_map(|region| &region.nodes);
    nodes
        .map(|node| {
            let sizes: Vec<usize> = node.dims.iter().map(|dim| dim.size).collect();
            format!("{:?} of {:?}: {sizes:?}", node.op, node.inputs)
        })
        .collect()
}

#[test]
fn a_defined_part_is_what_it_stands_for() {
    let definitions = "part dyt(x) {\ninit = 0.5\nscale slope { size = scalar, init = init }\nscale gain\n\
        y = gain(tanh(slope(x)))\n}\n\
        part blend(a, b) {\nhidden\nbias = off\ndyt one, two { init = 1 / hidden }\ntwo.gain.init = 3\n\
        linear up { out = hidden, bias = bias }\nlinear down { out = width }\nup : in scale { init = 2 / hidden }\n\
        s = one(a) + two(b)\ny = down(silu(up(s))) / layer\n}\n";
    let around = |parts: &str, branch: &str| {
        format!(
            "svspec 1\n{definitions}model tiny {{\nvocab = 16, context = 8, width = 8\n{parts}\n\
             layer {{ {branch} }}\nstack = 2 * layer\nlogits = unembed(x)\n}}\n\
             optimizer adamw {{ decay 0 on all }}\n"
        )
    };
    let defined = around(
        "dyt norm\nwide = 4\nblend b { hidden = wide, bias = on }\nb.one.init = 5\nb.down : out scale\n\
         norm.gain.scale : one_plus",
        "x = x + b(norm(norm(x)), x * x)",
    );
    let written = around(
        "scale norm_slope { size = scalar, init = 0.5 }\nscale norm_gain\nnorm_gain.scale : one_plus\n\
         scale one_slope { size = scalar, init = 5 }\nscale one_gain\n\
         scale two_slope { size = scalar, init = 0.25 }\nscale two_gain { init = 3 }\n\
         linear b_up { out = 4, bias = on }\nlinear down { out = width }\nb_up : in scale { init = 0.5 }\ndown : out scale",
        "n = norm_gain(tanh(norm_slope(x)))\na = norm_gain(tanh(norm_slope(n)))\nb = x * x\n\
         s = one_gain(tanh(one_slope(a))) + two_gain(tanh(two_slope(b)))\n\
         x = x + down(silu(b_up(s))) / layer",
    );
    let (defined, written) = (model(&defined, None), model(&written, None));
    assert_dims_are_inferred(&defined);
    assert_eq!(anatomy(&defined), anatomy(&written));
    let inits = |model: &Model| -> Vec<String> {
        model.params.iter().map(|param| format!("{:?} {:?}", param.kind, param.default_init)).collect()
    };
    assert_eq!(inits(&defined), inits(&written));
    let paths: Vec<&str> = defined.params.iter().map(|param| param.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "embed.weight",
            "norm.slope.scale",
            "norm.gain.scale",
            "b.one.slope.scale",
            "b.one.gain.scale",
            "b.two.slope.scale",
            "b.two.gain.scale",
            "b.up.in_scale",
            "b.up.weight",
            "b.up.bias",
            "b.down.weight",
            "b.down.out_scale",
            "unembed.weight",
        ]
    );
}

#[test]
fn dims_of_the_projects_specs() {
    for text in [
        include_str!("../../../specs/nano.svspec"),
        include_str!("../../../specs/llama.svspec"),
        include_str!("../../../specs/gemma_like.svspec"),
        include_str!("../../../specs/placements.svspec"),
    ] {
        let mut sources = Sources::new();
        let entry = sources.add("spec.svspec", text);
        let (program, _) = load(&mut sources, entry, &mut Nothing);
        for target in program.targets() {
            assert_dims_are_inferred(&model(text, Some(&target)));
        }
    }
}

#[test]
fn placements_in_small() {
    let text = include_str!("../../../specs/placements.svspec");
    let mut layers = Vec::new();
    for target in ["post", "deepnorm", "peri", "reordered", "parallel", "depth_scaled", "layer_scale"] {
        let print = print::ir(&model(text, Some(target)));
        let layer = print.split("\n\n").find(|region| region.starts_with("layer")).expect("a layer");
        layers.push(format!("### {target}\n{layer}\n"));
    }
    insta::assert_snapshot!(layers.join("\n"));
}

#[test]
fn statements_of_variants_apply_once_and_in_order() {
    let text = "svspec 1\n\
        model m { vocab = 16, context = 8, width = 8\nrms_norm n, f\nlinear l { out = width }\n\
        layer { x = x + l(n(x)) }\nstack = 2 * layer\nlogits = unembed(f(x)) }\n\
        variant wide of m { width = 16 }\n\
        variant deep of m with wide { stack = 3 * layer }\n\
        variant narrow of m with deep { width = 4 }\n\
        variant again of narrow with wide { }\n\
        variant form of m { scale : one_plus, l : in scale, l.in_scale : direct }\n\
        optimizer adamw { decay 0 on all }\n";
    let of = |target| model(text, Some(target));
    assert_eq!((of("deep").width, of("deep").stack.len()), (16, 3));
    assert_eq!((of("narrow").width, of("narrow").stack.len()), (4, 3));
    assert_eq!(
        of("again").width,
        4,
        "`wide` was applied before `narrow`'s own statements, and is not applied again"
    );
    assert_eq!(of("narrow").lineage, ["m", "narrow (deep)"]);
    let forms: Vec<String> =
        of("form").scales.iter().map(|scale| format!("{} {:?}", scale.path, scale.form)).collect();
    assert_eq!(forms, ["n.scale OnePlus", "l.in_scale Direct", "f.scale OnePlus"]);
}
