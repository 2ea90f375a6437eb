//! A rewrite of a spec's model keeps outputs and gradients, parameters and validity; its text is pinned.

use crate::keeping::{check_kept, subsets, validate};
use crate::spec;
use std::collections::BTreeSet;
use svspec_ir::rewrite::{Applied, Rewrite, Rewrites, optimise};
use svspec_ir::{Model, Operation, print};

#[test]
fn keep_outputs_and_gradients() {
    for checked in spec::tiny() {
        check_kept(checked.model());
    }
}

#[test]
fn keep_parameters_and_scale_vectors() {
    for checked in spec::tiny() {
        let (rewritten, _) = optimise(checked.model(), &Rewrites::default());
        assert_eq!(rewritten.params, checked.model().params);
        assert_eq!(rewritten.scales, checked.model().scales);
        let read = |model: &Model| -> BTreeSet<_> {
            let ops = model.regions.iter().flat_map(|region| &region.nodes).map(|node| node.op.operation());
            ops.flat_map(Operation::scales).collect()
        };
        assert_eq!(read(&rewritten), read(checked.model()), "{}", rewritten.name);
    }
}

#[test]
fn give_valid_graphs_and_nothing_more_to_do() {
    for checked in spec::tiny() {
        validate(checked.model());
        for rewrites in subsets() {
            let (once, _) = optimise(checked.model(), &rewrites);
            validate(&once);
            let (twice, applied) = optimise(&once, &rewrites);
            assert_eq!(applied, [], "{}", once.name);
            assert_eq!(once, twice);
        }
    }
}

#[test]
fn a_scale_stays_where_moving_it_costs_more() {
    let text = include_str!("tiny.svspec").replace("batch = 4096", "batch = 1");
    let only = Rewrites::none().with(Rewrite::MoveScaleToWeights);
    let (_, applied) = optimise(spec::of_text(&text, "hg").model(), &only);
    assert_eq!(applied, []);
}

/// Five tokens meet 12 channels: a vector on `v` alone costs 12 × 12 on the weight, so it pays from three sequences on.
#[test]
fn the_break_even_is_where_the_formula_says() {
    let moves = |batch: usize| {
        let text = include_str!("tiny.svspec").replace("batch = 4096", &format!("batch = {batch}"));
        let only = Rewrites::none().with(Rewrite::MoveScaleToWeights);
        let (_, applied) = optimise(spec::of_text(&text, "hg").model(), &only);
        applied.iter().any(|applied| applied.what.contains("`attn.v.in_scale`"))
    };
    assert!(!moves(2));
    assert!(moves(3));
}

/// The graphs before and after; the tables that follow them in the print stay as they are, which another test says.
fn before_and_after(target: &str, rewrites: &Rewrites) -> String {
    let checked = spec::tiny_target(target);
    let (after, applied) = optimise(checked.model(), rewrites);
    let line = |applied: &Applied| {
        format!("{} in {}: {}\n", applied.rewrite.name(), after.regions[applied.region.0].name, applied.what)
    };
    let lines: String = applied.iter().map(line).collect();
    let graph = |model: &Model| {
        let text = print::ir(model);
        text.split("\nscale vectors").next().unwrap_or_default().to_owned()
    };
    format!("{}\n--- rewritten ---\n{lines}\n{}", graph(checked.model()), graph(&after))
}

#[test]
fn share_normalize() {
    let only = Rewrites::none().with(Rewrite::ShareNormalize);
    insta::assert_snapshot!(before_and_after("port_norms", &only));
}

#[test]
fn move_scale_to_weights() {
    let only = Rewrites::none().with(Rewrite::MoveScaleToWeights);
    insta::assert_snapshot!(before_and_after("dp", &only));
}

#[test]
fn fuse_projections() {
    let only = Rewrites::none().with(Rewrite::FuseProjections);
    insta::assert_snapshot!(before_and_after("parallel", &only));
}

#[test]
fn all_on_unified() {
    insta::assert_snapshot!(before_and_after("unified", &Rewrites::default()));
}
