//! A trained model carried over to another spec, in the evaluator: the logits stay, and what is said of the optimizer's moments
//! is what the gradients do. A diff says the same of whether there is a map.

use crate::agreement::{distance, distance_on_scale, largest};
use crate::random::{placements, shape};
use crate::spec;
use proptest::prelude::*;
use svspec_ir::eval::{Tensor, Values, forward, gradients, random_tokens, random_values};
use svspec_ir::migrate::{self, Known, Moment, Plan};
use svspec_ir::print::migration;
use svspec_ir::{CheckedModel, Class, Diff, Model, diff, dim};

/// The new model's values.
fn carried(old: &Model, new: &Model, plan: &Plan, values: &Values) -> Values {
    let value = |step: &migrate::Step| {
        let value = migrate::value(old, new, step, values).unwrap();
        assert_eq!(value.shape, dim::sizes(&new.params[step.tensor.param.0].dims));
        (step.tensor, value)
    };
    let carried: Values = plan.steps.iter().map(value).collect();
    assert!(carried.keys().copied().eq({
        let mut all = new.instances();
        all.sort();
        all
    }));
    carried
}

fn logits(model: &Model, values: &Values) -> Tensor {
    let tokens = random_tokens(model, 2, 5, 1);
    forward(model, values, &tokens, &tokens).logits
}

/// Carries drawn values over, and compares logits and, of every tensor whose memory goes on, gradients. The number of these.
fn check(old: &CheckedModel, new: &CheckedModel, plan: &Plan, values: &Values) -> usize {
    let (old, new) = (old.model(), new.model());
    let what = format!("{} → {}", old.name, new.name);
    let carried = carried(old, new, plan, values);
    let distance = distance(&logits(old, values), &logits(new, &carried));
    assert!(distance < 1e-12, "{what}: {distance}");
    let (tokens, targets) = (random_tokens(old, 2, 5, 1), random_tokens(old, 2, 5, 2));
    let (_, before) = gradients(old, values, &tokens, &targets);
    let (_, after) = gradients(new, &carried, &tokens, &targets);
    let scale = 1e-2 * after.values().map(largest).fold(0.0, f64::max);
    let mut num_going_on = 0;
    for step in &plan.steps {
        let Some(source) = step.memory.source() else { continue };
        num_going_on += 1;
        // The first step of an average: the gradient, and its square.
        for (which, power) in [(Moment::First, 1), (Moment::Second, 2)] {
            let moment = before[&source].map(|entry| entry.powi(power));
            let found = step.memory.moment(old, which, &moment, values).unwrap();
            let expected = after[&step.tensor].map(|entry| entry.powi(power));
            let distance = distance_on_scale(&expected, &found, scale.powi(power));
            assert!(distance < 1e-9, "{what}: {} {distance}", new.instance_name(step.tensor));
        }
    }
    num_going_on
}

/// The worst class in the tables of a diff.
fn worst(changes: &Diff) -> Class {
    let settings = changes.settings.iter().map(|change| change.class);
    let placement = changes.placement.iter().map(|change| change.class);
    let tensors = changes.tensors.iter().map(|change| change.class);
    let scales = changes.scales.iter().map(|change| change.class);
    settings.chain(placement).chain(tensors).chain(scales).max().unwrap_or(Class::FunctionPreserving)
}

/// Every ordered pair of these: a diff calls it function-preserving if and only if there is a map for all values, and the
/// map keeps the function of drawn ones.
fn check_pairs(all: &[CheckedModel]) -> (usize, usize) {
    let (mut num_carried, mut num_going_on) = (0, 0);
    for old in all {
        let values = random_values(old.model(), 7);
        for new in all {
            let what = format!("{} → {}", old.model().name, new.model().name);
            let plan = migrate::plan(old, new, &Known::default());
            let changes = diff(old, new);
            assert_eq!(
                changes.verdict.class == Class::FunctionPreserving,
                plan.is_ok(),
                "{what}: {:?}\n{}",
                plan.err(),
                changes.text()
            );
            // The tables, which compare by name, come to the same.
            assert_eq!(
                worst(&changes) == Class::FunctionPreserving,
                plan.is_ok(),
                "{what}\n{}",
                changes.text()
            );
            if let Ok(plan) = plan {
                num_carried += 1;
                num_going_on += check(old, new, &plan, &values);
                // What is known of values only adds to what can be done.
                let informed = migrate::plan(old, new, &Known::of(old.model(), &values)).unwrap();
                if informed != plan {
                    num_going_on += check(old, new, &informed, &values);
                }
            }
        }
    }
    (num_carried, num_going_on)
}

#[test]
fn a_diff_and_a_migration_agree_and_keep_the_function() {
    let (num_carried, num_going_on) = check_pairs(&spec::tiny());
    assert!(num_carried > 60, "{num_carried}");
    assert!(num_going_on > 1000, "{num_going_on}");
}

/// The project's own specs at sizes for plain loops.
fn small(text: &str) -> Vec<CheckedModel> {
    let small = text
        .replace("vocab   = 256", "vocab   = 11")
        .replace("width   = 128", "width   = 12")
        .replace("heads = 4", "heads = 2")
        .replace("hidden = 344", "hidden = 10")
        .replace("hidden = floor(8 / 3 * width)", "hidden = 10")
        .replace("stack  = 4", "stack  = 2");
    spec::all_of(&small)
}

#[test]
fn they_agree_over_the_specs_of_the_paper_and_of_placements() {
    let mut all = small(include_str!("../../../../specs/nano.svspec"));
    all.extend(small(include_str!("../../../../specs/placements.svspec")));
    assert!(all.iter().all(|checked| checked.model().width == 12 && checked.model().stack.len() == 2));
    let (num_carried, _) = check_pairs(&all);
    assert!(num_carried > 80, "{num_carried}");
}

const DIRECT: &str = "variant with of base { attn.q : out normalize(head) + scale }";
const EXPONENTIAL: &str =
    "variant positive of base { attn.q : out normalize(head) + scale(exp_magnitude_direction) }";
const APART: &str = "variant apart of base {
    scale a, b
    layer {
        x = a(x) + attn(attn_norm(x))
        x = b(x) + mlp(mlp_norm(x))
    }
}";
const TOGETHER: &str = "variant together of base {
    scale a
    layer {
        x = a(x) + attn(attn_norm(x))
        x = a(x) + mlp(mlp_norm(x))
    }
}";

/// Two variants of the tiny baseline.
fn variants(statements: [&str; 2], names: [&str; 2]) -> [CheckedModel; 2] {
    let text = format!("{}\n{}\n{}", include_str!("tiny.svspec"), statements[0], statements[1]);
    names.map(|name| spec::of_text(&text, name))
}

/// Sets an entry of a tensor.
fn set(model: &Model, values: &mut Values, name: &str, entry: usize, to: f64) {
    let (_, value) = values.iter_mut().find(|(tensor, _)| model.instance_name(**tensor) == name).unwrap();
    value.data[entry] = to;
}

#[test]
fn a_vector_becomes_exponential_if_it_is_positive() {
    let [old, new] = variants([DIRECT, EXPONENTIAL], ["with", "positive"]);
    let mut values = random_values(old.model(), 7);
    let known = Known::of(old.model(), &values);
    assert!(migrate::plan(&old, &new, &Known::default()).is_err(), "a diff cannot know");
    check(&old, &new, &migrate::plan(&old, &new, &known).unwrap(), &values);
    set(old.model(), &mut values, "layers.1.attn.q.out_scale", 2, -0.25);
    let why = migrate::plan(&old, &new, &Known::of(old.model(), &values)).unwrap_err();
    insta::assert_snapshot!(why.to_string());
}

#[test]
fn vectors_become_one_if_they_are_equal() {
    let [old, new] = variants([APART, TOGETHER], ["apart", "together"]);
    let mut values = random_values(old.model(), 7);
    let entries = |values: &Values, layer: usize| {
        let name = format!("layers.{layer}.a.scale");
        let found = values.iter().find(|(tensor, _)| old.model().instance_name(**tensor) == name);
        found.unwrap().1.data.clone()
    };
    for layer in 0..2 {
        for (entry, value) in entries(&values, layer).into_iter().enumerate() {
            set(old.model(), &mut values, &format!("layers.{layer}.b.scale"), entry, value);
        }
    }
    assert!(migrate::plan(&old, &new, &Known::default()).is_err(), "a diff cannot know");
    let plan = migrate::plan(&old, &new, &Known::of(old.model(), &values)).unwrap();
    check(&old, &new, &plan, &values);
    insta::assert_snapshot!(migration::view(old.model(), new.model(), &plan).text());
    let differing = entries(&values, 1)[3] + 0.5;
    set(old.model(), &mut values, "layers.1.b.scale", 3, differing);
    let why = migrate::plan(&old, &new, &Known::of(old.model(), &values)).unwrap_err().to_string();
    assert!(why.contains("`a.scale`") && why.contains("`b.scale`") && why.contains("by up to 0.5"), "{why}");
}

#[test]
fn equal_branches_become_the_shared_vector_again_and_others_fold() {
    let (base, hg) = (spec::tiny_target("base"), spec::tiny_target("hg"));
    let values = random_values(base.model(), 7);
    let there = migrate::plan(&base, &hg, &Known::of(base.model(), &values)).unwrap();
    let split = carried(base.model(), hg.model(), &there, &values);
    let back = migrate::plan(&hg, &base, &Known::of(hg.model(), &split)).unwrap();
    assert_eq!(back.folded, []);
    assert_eq!(carried(hg.model(), base.model(), &back, &split), values);
    let drawn = random_values(hg.model(), 8);
    let folding = migrate::plan(&hg, &base, &Known::of(hg.model(), &drawn)).unwrap();
    assert_eq!(folding.folded.len(), 5);
}

#[test]
fn a_vector_with_a_zero_leaves_no_memory_of_what_it_folds_into() {
    let (hg, base) = (spec::tiny_target("hg"), spec::tiny_target("base"));
    let mut values = random_values(hg.model(), 7);
    set(hg.model(), &mut values, "layers.0.attn.q.in_scale", 1, 0.0);
    let plan = migrate::plan(&hg, &base, &Known::of(hg.model(), &values)).unwrap();
    let moments = plan.steps.iter().filter_map(|step| {
        let moment = &values[&step.memory.source()?];
        Some((
            base.model().instance_name(step.tensor),
            step.memory.moment(hg.model(), Moment::First, moment, &values),
        ))
    });
    let lost: Vec<String> = moments.filter(|(_, moment)| moment.is_none()).map(|(name, _)| name).collect();
    assert_eq!(lost, ["layers.0.attn.q.weight"]);
}

#[test]
fn plans_as_tables() {
    let table = |from: &str, to: &str| {
        let (old, new) = (spec::tiny_target(from), spec::tiny_target(to));
        let plan = migrate::plan(&old, &new, &Known::default()).unwrap();
        migration::view(old.model(), new.model(), &plan).text()
    };
    insta::assert_snapshot!("plan-split", table("base", "hg"));
    insta::assert_snapshot!("plan-fold", table("dp", "base"));
    insta::assert_snapshot!("plan-untie", table("tied", "or"));
    insta::assert_snapshot!("plan-same", table("base", "base"));
    insta::assert_snapshot!("plan-shifted", table("base", "gains_one_plus"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Placements are taken away and put in between two drawn models of one shape, so that some pairs have a map.
    #[test]
    fn they_agree_over_drawn_placements(
        shape in shape(),
        placements in placements(),
        kept in proptest::collection::vec(any::<bool>(), 16),
    ) {
        let some: Vec<String> = placements
            .iter()
            .zip(kept)
            .map(|(placement, is_kept)| if is_kept { placement.clone() } else { String::new() })
            .collect();
        let models = [shape.text(&placements), shape.text(&some)].map(|text| spec::of_text(&text, "random"));
        check_pairs(&models);
    }
}

/// Shared vectors become one of each expert's; those of each expert go into its matrices where there is no place for them.
#[test]
fn vectors_of_each_expert_come_and_go() {
    let variants = "variant shared of moe {
    experts.gate : in scale
    experts.down : out scale
}
variant each of moe {
    experts.gate : in scale(per_expert)
    experts.down : out scale(per_expert, magnitude_direction)
}
optimizer adamw {";
    let text = include_str!("tiny.svspec").replace("optimizer adamw {", variants);
    let all = ["moe", "shared", "each"].map(|target| spec::of_text(&text, target));
    let (num_carried, num_going_on) = check_pairs(&all);
    assert_eq!(num_carried, all.len() * all.len());
    assert!(num_going_on > 0);
}
