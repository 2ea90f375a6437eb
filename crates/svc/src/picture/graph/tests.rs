//! Layers drawn by hand and models from specs to layouts in which nothing overlaps, and to pictures.

#![expect(clippy::many_single_char_names, reason = "x, q, k, v and o are what they are called")]

mod sketch;
mod spec;

use super::*;
use crate::picture::graph::layout::layout;
use sketch::Sketch;
use svspec_ir::Role;

/// A pre-norm layer with grouped scale vectors on both sides of each map: the widest there is.
fn dual(sketch: &mut Sketch) {
    let x = sketch.carried();
    let normed = sketch.normalize(x, 1);
    let [q, k, v] = ["attn.q", "attn.k", "attn.v"].map(|map| {
        let scaled = sketch.scale(normed, &format!("{map}.in_scale"));
        let mapped = sketch.linear(scaled, map, &[4, 32]);
        let normed = sketch.normalize(mapped, 1);
        sketch.scale(normed, &format!("{map}.out_scale"))
    });
    let (q, k) = (sketch.rope(q), sketch.rope(k));
    let context = sketch.attention([q, k, v]);
    let o = sketch.linear(context, "attn.o", &[128]);
    let x = sketch.add(x, o);
    let normed = sketch.normalize(x, 1);
    let [gate, up] = ["mlp.gate", "mlp.up"].map(|map| {
        let scaled = sketch.scale(normed, &format!("{map}.in_scale"));
        let mapped = sketch.linear(scaled, map, &[344]);
        let normed = sketch.normalize(mapped, 1);
        sketch.scale(normed, &format!("{map}.out_scale"))
    });
    let gate = sketch.silu(gate);
    let product = sketch.mul(gate, up);
    let down = sketch.linear(product, "mlp.down", &[128]);
    sketch.add(x, down);
}

/// Attention and MLP side by side, both reading the stream.
fn parallel(sketch: &mut Sketch) {
    let x = sketch.carried();
    let first = sketch.normalize(x, 1);
    let [q, k, v] = ["attn.q", "attn.k", "attn.v"].map(|map| sketch.linear(first, map, &[4, 32]));
    let context = sketch.attention([q, k, v]);
    let o = sketch.linear(context, "attn.o", &[128]);
    let second = sketch.normalize(x, 1);
    let [gate, up] = ["mlp.gate", "mlp.up"].map(|map| sketch.linear(second, map, &[344]));
    let gate = sketch.silu(gate);
    let product = sketch.mul(gate, up);
    let down = sketch.linear(product, "mlp.down", &[128]);
    let x = sketch.add(x, o);
    sketch.add(x, down);
}

/// Norms on the way in and on the way out, and one after the sum, so that the stream itself is normalised.
fn sandwich(sketch: &mut Sketch) {
    let x = sketch.carried();
    let normed = sketch.normalize(x, 1);
    let normed = sketch.scale(normed, "in_norm.scale");
    let up = sketch.linear(normed, "mlp.up", &[344]);
    let up = sketch.silu(up);
    let down = sketch.linear(up, "mlp.down", &[128]);
    let normed = sketch.normalize(down, 1);
    let normed = sketch.scale(normed, "out_norm.scale");
    let x = sketch.add(x, normed);
    let x = sketch.normalize(x, 1);
    sketch.scale(x, "post_norm.scale");
}

/// The stream is read again after it has moved on, and a value is read far below.
fn tangled(sketch: &mut Sketch) {
    let x = sketch.carried();
    let a = sketch.linear(x, "a", &[128]);
    let y = sketch.add(x, a);
    let b = sketch.linear(y, "b", &[128]);
    let c = sketch.mul(b, a);
    let z = sketch.add(y, c);
    let d = sketch.mul(z, x);
    sketch.add(z, d);
}

type Draw = fn(&mut Sketch);

const LAYERS: [(&str, Draw); 4] =
    [("dual", dual), ("parallel", parallel), ("sandwich", sandwich), ("tangled", tangled)];

fn sketched(draw: Draw) -> Model {
    let mut sketch = Sketch::new();
    draw(&mut sketch);
    sketch.finish()
}

fn sketched_marks(model: &Model) -> Vec<Mark> {
    let of = |path: &str| {
        if path.contains("in") {
            (Role::Input, mark::Decay::All(0.1))
        } else {
            (Role::Output, mark::Decay::None)
        }
    };
    model.scales.iter().map(|scale| of(&scale.path)).map(|(role, decay)| Mark { role, decay }).collect()
}

/// Every region of the hand-drawn layers and of the specs' targets.
fn flows() -> Vec<(String, Flow)> {
    let mut flows = Vec::new();
    for (name, layer) in LAYERS {
        let model = sketched(layer);
        flows.push((name.to_owned(), flow_of(&model, &model.regions[0], &sketched_marks(&model))));
    }
    let nano = ["nano", "no_scales", "hg", "dp", "dnp", "dnp_full", "or", "er", "iwd", "unified"];
    let specs = nano.map(|target| (spec::NANO, target));
    for (text, target) in
        specs.into_iter().chain([(spec::GEMMA_LIKE, "gemma_like"), (spec::PARALLEL, "parallel")])
    {
        let checked = spec::checked(text, target);
        let marks = mark::marks(&checked);
        for region in &checked.model().regions {
            flows.push((format!("{target}.{}", region.name), flow_of(checked.model(), region, &marks)));
        }
    }
    flows
}

#[test]
fn cards_keep_apart() {
    for (name, flow) in flows() {
        let layout = layout(&flow);
        for (index, (a, at)) in layout.cards.iter().enumerate() {
            for (b, bt) in layout.cards.iter().skip(index + 1) {
                let apart_x = (at.0 - bt.0).abs() - f64::midpoint(a.width, b.width);
                let apart_y = (at.1 - bt.1).abs() - f64::midpoint(a.height, b.height);
                assert!(apart_x >= 6.0 || apart_y >= 6.0 || a.width * b.width == 0.0, "{name}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn wires_run_straight_and_through_no_card() {
    for (name, flow) in flows() {
        let layout = layout(&flow);
        for wire in &layout.wires {
            for (from, to) in wire.iter().zip(wire.iter().skip(1)) {
                let is_straight = (from.0 - to.0).abs() < 0.05 || (from.1 - to.1).abs() < 0.05;
                assert!(is_straight, "{name}: a slanted wire {wire:?}");
                for (card, (x, y)) in &layout.cards {
                    let (half_width, half_height) = (card.width / 2.0, card.height / 2.0);
                    let beside = from.0.max(to.0) <= x - half_width || from.0.min(to.0) >= x + half_width;
                    let beyond = from.1.max(to.1) <= y - half_height || from.1.min(to.1) >= y + half_height;
                    assert!(beside || beyond, "{name}: {wire:?} runs through {card:?} at {x}, {y}");
                }
            }
        }
    }
}

#[test]
fn the_stream_is_the_spine() {
    let model = sketched(sandwich);
    let flow = flow_of(&model, &model.regions[0], &[]);
    let names: Vec<&str> = flow.spine().iter().map(|&card| flow.cards[card].title.as_str()).collect();
    assert_eq!(names, ["", "+", "normalize", "post_norm.scale"]);
}

#[test]
fn depths_are_listed_as_ranges() {
    assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1–3, 5, 7–8");
}

#[test]
fn hand_drawn() {
    let model = sketched(tangled);
    insta::assert_snapshot!(draw(&model, &sketched_marks(&model)));
}

#[test]
fn from_specs() {
    for (text, target) in [
        (spec::NANO, "nano"),
        (spec::NANO, "unified"),
        (spec::NANO, "dnp_full"),
        (spec::GEMMA_LIKE, "gemma_like"),
        (spec::PARALLEL, "parallel"),
    ] {
        insta::assert_snapshot!(target, graph(&spec::checked(text, target)));
    }
}

#[test]
fn documents_that_are_apart_are_told() {
    let text = spec::PARALLEL.replace("width = 48", "width = 48, document_end = 7");
    let picture = graph(&spec::checked(&text, "parallel"));
    assert!(picture.contains("width 48, context 64, documents apart at token 7;"), "{picture}");
    assert!(!graph(&spec::checked(spec::PARALLEL, "parallel")).contains("documents"));
}
