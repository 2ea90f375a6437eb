//! Numbers that differ from layer to layer: they mean what the same model means with each layer written out.

use crate::agreement::distance;
use crate::spec;
use std::collections::BTreeMap;
use svspec_ir::cost::CostReport;
use svspec_ir::eval::{Values, forward, gradients, initial_values, random_tokens, random_values};
use svspec_ir::{CheckedModel, Instance, dim};

const OPTIMIZER: &str = "optimizer adamw { decay 0.1 on all }\n";

const BY_LAYER: &str = "svspec 1
model m {
    vocab = 11, context = 7, width = 12
    base  = 50 * layer
    attention attn {
        heads = 2 * layer, kv_heads = layer, head_dim = 4 + 4 * floor(layer / 2), rope { theta = base, fraction = 0.5 + 0.5 * floor(layer / 3) }
        window = 1 + layer, scale = 0.5 / layer, soft_cap = 3 / layer, clip = 0.5 * layer, alibi { bound = 2 * layer }
    }
    moe      experts { experts = 1 + layer, top_k = layer, hidden = 4 + layer, scale = 0.5 / layer }
    mlp      ffn { hidden = 3 * layer }
    rms_norm attn_norm, experts_norm { eps = 0.01 * layer }
    rms_norm final_norm
    scale    gain { init = 1 / sqrt(layer) }
    bias     shift { init = 0.1 * layer }
    attn.q : out normalize(head) { eps = 0.1 * layer } + scale { init = 2 * layer }
    layer {
        x = x + gain(attn(attn_norm(x))) / layer
        x = x + clamp(softcap(experts(experts_norm(x)), 0.05 * layer), -0.002 * layer, 0.004 / layer)
        x = shift(x + ffn(x))
    }
    stack  = 3 * layer
    logits = unembed(final_norm(x))
}
";

/// The same, each layer with parts of its own: the expressions of `BY_LAYER`, worked out by hand.
fn written_out() -> String {
    let [mut parts, mut layers] = [String::new(), String::new()];
    for (n, numbers) in [
        "2; 1; 4; 50; 0.5; 2; 0.5; 3; 0.5; 2; 1; 5; 0.5; 3; 0.01; 1; 0.1; 0.1; 2; 1; 0.05; 0.002; 0.004; 2",
        "4; 2; 8; 100; 0.5; 3; 0.25; 1.5; 1; 3; 2; 6; 0.25; 6; 0.02; 1 / sqrt(2); 0.2; 0.2; 4; 2; 0.1; 0.004; 0.002; 4",
        "6; 3; 8; 150; 1; 4; 0.5 / 3; 1; 1.5; 4; 3; 7; 0.5 / 3; 9; 0.03; 1 / sqrt(3); 0.1 * 3; 0.1 * 3; 6; 3; 0.05 * 3; \
         0.002 * 3; 0.004 / 3; 6",
    ]
    .iter()
    .enumerate()
    {
        let numbers: Vec<&str> = numbers.split("; ").collect();
        let [
            heads, kv, head_dim, theta, fraction, window, scale, cap, clip, experts, top_k, hidden, weight, ffn, eps, gain,
            shift, q_eps, q_init, divisor, bound, low, high, slopes,
        ] = numbers[..]
        else {
            unreachable!("as many as are named")
        };
        parts += &format!(
            "attention attn{n} {{ heads = {heads}, kv_heads = {kv}, head_dim = {head_dim}, rope {{ theta = {theta}, fraction = {fraction} }}, \
             window = {window}, scale = {scale}, soft_cap = {cap}, clip = {clip}, \
             alibi {{ bound = {slopes} }} }}
             moe experts{n} {{ experts = {experts}, top_k = {top_k}, hidden = {hidden}, scale = {weight} }}
             mlp ffn{n} {{ hidden = {ffn} }}
             rms_norm attn_norm{n}, experts_norm{n} {{ eps = {eps} }}
             scale gain{n} {{ init = {gain} }}
             bias shift{n} {{ init = {shift} }}
             attn{n}.q : out normalize(head) {{ eps = {q_eps} }} + scale {{ init = {q_init} }}\n"
        );
        layers += &format!(
            "layer l{n} {{
                x = x + gain{n}(attn{n}(attn_norm{n}(x))) / {divisor}
                x = x + clamp(softcap(experts{n}(experts_norm{n}(x)), {bound}), -{low}, {high})
                x = shift{n}(x + ffn{n}(x))
             }}\n"
        );
    }
    format!(
        "svspec 1\nmodel m {{\nvocab = 11, context = 7, width = 12\n{parts}{layers}rms_norm final_norm\n\
         stack = l0 + l1 + l2\nlogits = unembed(final_norm(x))\n}}\n{OPTIMIZER}"
    )
}

fn cost(checked: &CheckedModel) -> CostReport {
    svspec_ir::cost::cost(checked.model(), checked.assignments())
}

fn pair() -> [CheckedModel; 2] {
    let by_layer = spec::of_text(&format!("{BY_LAYER}{OPTIMIZER}"), "m");
    [by_layer, spec::of_text(&written_out(), "m")]
}

/// Tensors of one model to those of the other: both list them in one order.
fn counterparts(by_layer: &CheckedModel, written_out: &CheckedModel) -> BTreeMap<Instance, Instance> {
    let (a, b) = (by_layer.model().instances(), written_out.model().instances());
    assert_eq!(a.len(), b.len());
    let pairs: BTreeMap<_, _> = a.into_iter().zip(b).collect();
    for (a, b) in &pairs {
        let name = |checked: &CheckedModel, instance| {
            checked.model().instance_name(instance).replace(['0', '1', '2'], "")
        };
        assert_eq!(name(by_layer, *a), name(written_out, *b));
        let sizes = |checked: &CheckedModel, instance: &Instance| {
            dim::sizes(&checked.model().params[instance.param.0].dims)
        };
        assert_eq!(sizes(by_layer, a), sizes(written_out, b));
    }
    pairs
}

#[test]
fn a_number_by_layer_means_what_each_layer_written_out_means() {
    let [by_layer, written_out] = pair();
    let pairs = counterparts(&by_layer, &written_out);
    let values = random_values(by_layer.model(), 3);
    let same: Values = pairs.iter().map(|(a, b)| (*b, values[a].clone())).collect();
    let [tokens, targets] = [1, 2].map(|seed| random_tokens(by_layer.model(), 2, 7, seed));
    let expected = forward(written_out.model(), &same, &tokens, &targets);
    let found = forward(by_layer.model(), &values, &tokens, &targets);
    assert!(distance(&found.logits, &expected.logits) < 1e-12);
    let (_, expected) = gradients(written_out.model(), &same, &tokens, &targets);
    let (_, found) = gradients(by_layer.model(), &values, &tokens, &targets);
    for (a, b) in &pairs {
        assert!(distance(&found[a], &expected[b]) < 1e-10, "{}", by_layer.model().instance_name(*a));
    }
}

#[test]
fn every_number_tells_in_the_result() {
    let [by_layer, _] = pair();
    let values = random_values(by_layer.model(), 3);
    let [tokens, targets] = [1, 2].map(|seed| random_tokens(by_layer.model(), 2, 7, seed));
    let expected = forward(by_layer.model(), &values, &tokens, &targets).logits;
    for (number, constant) in [
        ("base  = 50 * layer", "base = 50"),
        ("window = 1 + layer", "window = 2"),
        ("scale = 0.5 / layer, soft", "scale = 0.5, soft"),
        ("soft_cap = 3 / layer", "soft_cap = 3"),
        ("clip = 0.5 * layer", "clip = 0.5"),
        ("bound = 2 * layer", "bound = 2"),
        ("scale = 0.5 / layer }", "scale = 0.5 }"),
        ("eps = 0.01 * layer", "eps = 0.01"),
        ("eps = 0.1 * layer", "eps = 0.1"),
        ("0.05 * layer", "0.05"),
        ("-0.002 * layer", "-0.002"),
        ("0.004 / layer", "0.004"),
    ] {
        let changed = format!("{BY_LAYER}{OPTIMIZER}").replace(number, constant);
        let changed = spec::of_text(&changed, "m");
        let found = forward(changed.model(), &values, &tokens, &targets).logits;
        assert!(distance(&found, &expected) > 1e-6, "{number}");
    }
}

#[test]
fn each_layer_starts_where_its_own_number_says() {
    let [by_layer, written_out] = pair();
    let pairs = counterparts(&by_layer, &written_out);
    let found = initial_values(by_layer.model(), by_layer.assignments(), 0);
    let expected = initial_values(written_out.model(), written_out.assignments(), 0);
    for (a, b) in &pairs {
        assert!(distance(&found[a], &expected[b]) < 1e-15, "{}", by_layer.model().instance_name(*a));
    }
}

#[test]
fn costs_are_those_of_each_layer_written_out() {
    let [found, expected] = pair().map(|checked| cost(&checked));
    assert_eq!(found.num_params, expected.num_params);
    assert_eq!(found.num_active_params, expected.num_active_params);
    assert_eq!(found.memory, expected.memory);
    for (found, expected) in [
        (found.flops.forward, expected.flops.forward),
        (found.flops.training_matmul, expected.flops.training_matmul),
    ] {
        assert!((found / expected - 1.0).abs() < 1e-12);
    }
}

/// Numbers that change no shape make no kinds of layers; a window's layers are costed one by one.
#[test]
fn a_layer_is_one_kind_where_no_shape_differs() {
    let spec = |settings: &str| {
        let model = "svspec 1\nmodel m {\nvocab = 11, context = 7, width = 12\nattention attn { SETTINGS }\n\
                     layer { x = x + attn(x) }\nlayer other { x = 2 * x }\nstack = 2 * layer + other + layer\n\
                     logits = unembed(x)\n}\n";
        spec::of_text(&format!("{}{OPTIMIZER}", model.replace("SETTINGS", settings)), "m")
    };
    let names = |checked: &CheckedModel| -> Vec<String> {
        checked.model().regions.iter().map(|region| region.name.clone()).collect()
    };
    let windows = spec("heads = 3, rope { theta = 10 * layer }, window = layer");
    assert_eq!(names(&windows), ["embed", "layer", "other", "head", "loss"]);
    let one_by_one: f64 = [1, 2, 4]
        .map(|window| cost(&spec(&format!("heads = 3, rope, window = {window}"))).flops.forward)
        .iter()
        .sum();
    assert!((3.0 * cost(&windows).flops.forward / one_by_one - 1.0).abs() < 1e-12);

    let heads = spec("head_dim = 2, heads = 2 * floor(1 + layer / 4)");
    assert_eq!(names(&heads), ["embed", "layer_0", "layer_3", "other", "head", "loss"]);
    let stack: Vec<usize> = heads.model().stack.iter().map(|region| region.0).collect();
    assert_eq!(stack, [1, 1, 3, 2]);
}

/// What functions and layouts are given makes kinds of layers too.
#[test]
fn channels_and_heads_by_layer_mean_what_each_layer_written_out_means() {
    let model = |parts: &str, layers: &str| {
        format!(
            "svspec 1\nmodel m {{\nvocab = 11, context = 7, width = 12\n{parts}\n{layers}\nlogits = unembed(x)\n}}\n{OPTIMIZER}"
        )
    };
    let layer = |parts: [&str; 2], heads: &str| {
        let [wide, back] = parts;
        format!(
            "{{ u = slice({wide}(x), 2 * {heads} - 2, 4 * {heads})\n\
             x = x + {back}(softcap(split_heads(u, 1 + {heads}), 2)) }}\n"
        )
    };
    let by_layer = model(
        "linear wide { out = 12 }\nlinear back { out = width }\n\
         tensors huggingface { wide.weight = interleaved(layer, \"{layer}.wide\") }",
        &format!("layer {}stack = 3 * layer", layer(["wide", "back"], "layer")),
    );
    let [mut parts, mut layers] = [String::new(), String::new()];
    for n in 0..3 {
        let names = [format!("wide{n}"), format!("back{n}")];
        parts += &format!("linear {} {{ out = 12 }}\nlinear {} {{ out = width }}\n", names[0], names[1]);
        layers += &format!("layer l{n} {}", layer([&names[0], &names[1]], &(n + 1).to_string()));
    }
    let by_layer = spec::of_text(&by_layer, "m");
    let written_out = spec::of_text(&model(&parts, &format!("{layers}stack = l0 + l1 + l2")), "m");
    let names: Vec<&str> = by_layer.model().regions.iter().map(|region| region.name.as_str()).collect();
    assert_eq!(names, ["embed", "layer_0", "layer_1", "layer_2", "head", "loss"]);
    let blocks: Vec<usize> =
        by_layer.model().foreign.tensors.iter().map(|tensor| tensor.layout.num_blocks).collect();
    assert_eq!(blocks, [1, 2, 3]);

    let pairs = counterparts(&by_layer, &written_out);
    let values = random_values(by_layer.model(), 3);
    let same: Values = pairs.iter().map(|(a, b)| (*b, values[a].clone())).collect();
    let [tokens, targets] = [1, 2].map(|seed| random_tokens(by_layer.model(), 2, 7, seed));
    let expected = forward(written_out.model(), &same, &tokens, &targets);
    let found = forward(by_layer.model(), &values, &tokens, &targets);
    assert!(distance(&found.logits, &expected.logits) < 1e-12);
}
