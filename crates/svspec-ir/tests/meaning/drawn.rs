//! Rewrites of graphs drawn by hand: the cases in which a scale vector must stay, and the choices where it moves.

use crate::keeping::{check_kept, validate};
use crate::sketch::{Sketch, WIDTH};
use svspec_ir::rewrite::{Rewrites, optimise};
use svspec_ir::{Model, Op};

/// The lines of all rewrites of a drawn model, which is checked to keep its meaning.
fn lines(model: &Model) -> Vec<String> {
    validate(model);
    check_kept(model);
    let (rewritten, applied) = optimise(model, &Rewrites::default());
    validate(&rewritten);
    assert_eq!(optimise(&rewritten, &Rewrites::default()), (rewritten, Vec::new()));
    applied.into_iter().map(|applied| applied.what).collect()
}

const HEAD: &str = "`final_norm.scale` multiplies the columns of `logits`";

#[test]
fn a_scale_that_more_than_linear_maps_read_stays() {
    let (mut sketch, x) = Sketch::new();
    let n = sketch.normalize("n", x);
    let scaled = sketch.scale("norm.scale", n);
    let q = sketch.linear("q", scaled, WIDTH);
    sketch.node("sum", Op::Add(svspec_ir::op::Add), &[q, scaled]);
    assert_eq!(lines(&sketch.finish()), [HEAD]);
}

#[test]
fn a_scale_that_leaves_its_region_stays() {
    let (mut sketch, x) = Sketch::new();
    let n = sketch.normalize("n", x);
    sketch.scale("norm.scale", n);
    assert_eq!(lines(&sketch.finish()), [HEAD]);
}

#[test]
fn of_two_scales_in_a_row_the_second_moves() {
    let (mut sketch, x) = Sketch::new();
    let first = sketch.scale("first.scale", x);
    let second = sketch.scale("second.scale", first);
    sketch.linear("q", second, WIDTH);
    assert_eq!(lines(&sketch.finish()), ["`second.scale` multiplies the columns of `q`", HEAD]);
}

#[test]
fn a_scale_between_two_maps_goes_to_the_smaller() {
    let (mut sketch, x) = Sketch::new();
    let up = sketch.linear("up", x, 9);
    let scaled = sketch.scale("mid.scale", up);
    let narrow = sketch.linear("narrow", scaled, 2);
    let back = sketch.linear("back", narrow, WIDTH);
    sketch.scale("out.scale", back);
    let model = sketch.finish();
    let expected =
        ["`mid.scale` multiplies the columns of `narrow`", "`out.scale` multiplies the rows of `back`", HEAD];
    assert_eq!(lines(&model), expected);
}

#[test]
fn rows_stay_free_of_a_scale_that_is_not_alone_in_reading_them() {
    let (mut sketch, x) = Sketch::new();
    let up = sketch.linear("up", x, WIDTH);
    let scaled = sketch.scale("up.out_scale", up);
    sketch.node("sum", Op::Add(svspec_ir::op::Add), &[scaled, up]);
    assert_eq!(lines(&sketch.finish()), [HEAD]);
}

#[test]
fn a_weight_that_is_used_twice_is_scaled_at_one_use_only() {
    let (mut sketch, x) = Sketch::new();
    let first = sketch.linear("first", x, WIDTH);
    let weight = sketch.last_param();
    let scaled = sketch.scale("norm.scale", first);
    sketch.use_weight("second", weight, scaled);
    assert_eq!(lines(&sketch.finish()), ["`norm.scale` multiplies the rows of `first`", HEAD]);
}

#[test]
fn a_scale_passes_a_product_into_the_map_after_it() {
    let (mut sketch, x) = Sketch::new();
    let n = sketch.normalize("n", x);
    let scaled = sketch.scale("norm.scale", n);
    let product = sketch.node("product", Op::Mul(svspec_ir::op::Mul), &[x, scaled]);
    sketch.linear("down", product, WIDTH);
    assert_eq!(lines(&sketch.finish()), ["`norm.scale` multiplies the columns of `down`", HEAD]);
}

#[test]
fn a_scale_on_both_sides_of_a_product_stays() {
    let (mut sketch, x) = Sketch::new();
    let scaled = sketch.scale("norm.scale", x);
    let square = sketch.node("square", Op::Mul(svspec_ir::op::Mul), &[scaled, scaled]);
    sketch.linear("down", square, WIDTH);
    assert_eq!(lines(&sketch.finish()), [HEAD]);
}

#[test]
fn maps_that_differ_in_their_scales_share_a_product_once_these_have_moved() {
    let (mut sketch, x) = Sketch::new();
    let maps = ["q", "k"].map(|name| {
        let normed = sketch.normalize(&format!("{name}_normed"), x);
        let scaled = sketch.scale(&format!("{name}.in_scale"), normed);
        sketch.linear(&format!("attn.{name}"), scaled, WIDTH)
    });
    sketch.node("product", Op::Mul(svspec_ir::op::Mul), &maps);
    let expected = [
        "`k_normed` is `q_normed`",
        "`q.in_scale` multiplies the columns of `attn_q`",
        "`k.in_scale` multiplies the columns of `attn_k`",
        HEAD,
        "`attn_q`, `attn_k` in one product, `attn_q_k`",
    ];
    assert_eq!(lines(&sketch.finish()), expected);
}
