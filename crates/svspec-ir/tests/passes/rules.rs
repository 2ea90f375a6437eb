//! Rules applied to whole specs: who gets what, which groups form, what is left over.

use crate::spec::{self, Sketch};
use svspec_diagnostics::{SourceId, Span};
use svspec_ir::group::RuleText;
use svspec_ir::rule::{Clipping, Condition, ResolvedRule, Selector, Test, Verb};
use svspec_ir::rules::apply;
use svspec_ir::{CheckedModel, ParamKind, PerLayer, Role, print};

/// `group: paths` of each group.
fn groups(optimizer: &str) -> Vec<String> {
    let checked = Sketch { optimizer, attn: "rope, bias = on", ..Sketch::default() }.compile();
    let view = print::groups::view(&checked);
    view.groups.iter().map(|group| format!("{}: {}", group.name, group.paths.join(" "))).collect()
}

fn decay_of(checked: &CheckedModel, name: &str) -> String {
    let assignments = checked.assignments().iter();
    let of_name =
        |assignment: &&svspec_ir::Assignment| checked.model().instance_name(assignment.instance) == name;
    print::number::shortest(
        assignments.clone().find(of_name).unwrap_or_else(|| panic!("{name} is a tensor")).decay,
    )
}

#[test]
fn a_later_rule_wins() {
    assert_eq!(
        groups("decay 0.1 on all\n decay 0 on bias, embedding\n decay 0.2 on attn.o"),
        [
            "weight_scale: {attn_norm, mlp_norm, final_norm}.scale attn.{q, k, v}.weight mlp.{gate, up, down}.weight \
             unembed.weight",
            "bias_embedding: embed.weight attn.{q, k, v}.bias",
            "attn_o: attn.o.{weight, bias}",
        ]
    );
}

#[test]
fn every_tensor_is_in_exactly_one_group() {
    for target in ["nano", "hg", "dp", "dnp", "dnp_full", "or", "er", "iwd", "unified", "no_scales"] {
        let checked = spec::compile(spec::NANO, target);
        let mut members: Vec<_> = checked.groups().iter().flat_map(|group| group.members.clone()).collect();
        members.sort();
        let mut instances = checked.model().instances();
        instances.sort();
        assert_eq!(members, instances, "{target}");
    }
}

#[test]
fn a_negated_condition_about_scale_vectors_does_not_reach_weights() {
    let checked = Sketch {
        optimizer: "decay 0.1 on all\n decay 0 on all where not absorbable",
        settings: "tie_embeddings = on",
        ..Sketch::default()
    }
    .compile();
    assert_eq!(decay_of(&checked, "layers.0.attn.q.weight"), "0.1");
    assert_eq!(decay_of(&checked, "layers.0.attn_norm.scale"), "0.1");
    assert_eq!(decay_of(&checked, "final_norm.scale"), "0");
}

#[test]
fn layers_count_from_one_and_tensors_outside_the_stack_have_none() {
    let checked =
        Sketch { optimizer: "decay 0.1 on all\n decay 0 on all where layer < 2", ..Sketch::default() }
            .compile();
    assert_eq!(decay_of(&checked, "layers.0.attn.q.weight"), "0");
    assert_eq!(decay_of(&checked, "layers.1.attn.q.weight"), "0.1");
    assert_eq!(decay_of(&checked, "embed.weight"), "0.1");
}

#[test]
fn roles_sites_and_parts_select() {
    let checked = Sketch {
        placements: "attn.q : out normalize(head) + scale\n scale : magnitude_direction",
        optimizer: "decay 0.1 on all
            decay 0.2 on scale where role == output
            decay 0.3 on scale where site == norm and part == direction
            decay 0.4 on final_norm",
        ..Sketch::default()
    }
    .compile();
    assert_eq!(decay_of(&checked, "layers.0.attn.q.out_scale.magnitude"), "0.2");
    assert_eq!(decay_of(&checked, "layers.0.attn_norm.scale.direction"), "0.3");
    assert_eq!(decay_of(&checked, "layers.0.attn_norm.scale.magnitude"), "0.1");
    assert_eq!(decay_of(&checked, "final_norm.scale.direction"), "0.4");
}

#[test]
fn tensors_that_no_decay_rule_reaches_are_named_once_per_kind() {
    let text = Sketch { optimizer: "decay 0.1 on weight", ..Sketch::default() }.text();
    let faults = spec::try_compile(&text, "small").unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "no decay rule reaches `layers.0.attn_norm.scale` and 4 more tensors like it",
            "no decay rule reaches `embed.weight`",
        ]
    );
    assert!(faults.iter().all(|fault| fault.name == "parameter-without-decay"));
}

/// A rule built by hand, as the resolver would.
fn rule(verb: Verb, selector: Selector, condition: Option<Condition>) -> ResolvedRule {
    let span = Span::new(SourceId(0), 0, 0);
    let text = RuleText { text: String::new(), place: String::new(), span };
    ResolvedRule {
        verb,
        selectors: vec![selector],
        conditions: condition.into_iter().collect(),
        text,
        allow: Vec::new(),
    }
}

#[test]
fn hits_count_what_a_rule_matches_and_what_it_still_decides() {
    let checked = Sketch::default().compile();
    let decay = |value: f64| Verb::Decay(PerLayer::Uniform(value).into());
    let of_input = Condition { test: Test::Role(Role::Input), negated: false };
    let of_output = Condition { test: Test::Role(Role::Output), negated: false };
    let scale = Selector::Kind(ParamKind::Scale);
    let rules = [
        rule(decay(0.1), Selector::All, None),
        rule(decay(0.2), scale.clone(), None),
        rule(decay(0.3), scale.clone(), Some(of_input)),
        rule(decay(0.4), scale, Some(of_output)),
        rule(Verb::Clip(Clipping::Off), Selector::Path(vec!["attn".to_owned(), "o".to_owned()]), None),
    ];
    let outcome = apply(checked.model(), checked.facts(), &rules);
    let hits: Vec<(usize, usize)> = outcome.hits.iter().map(|hits| (hits.matched, hits.decides)).collect();
    // 16 weights and embeddings, 5 scale vectors, all of role input.
    assert_eq!(hits, [(21, 16), (5, 0), (5, 5), (0, 0), (2, 2)]);
    assert_eq!(outcome.diagnostics, []);
}

#[test]
fn a_value_that_depends_on_the_layer_reaches_only_the_stack() {
    let checked = Sketch::default().compile();
    let rules = [rule(Verb::Decay(PerLayer::Each(vec![0.1, 0.2]).into()), Selector::All, None)];
    let outcome = apply(checked.model(), checked.facts(), &rules);
    let names: Vec<&str> = outcome.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["weight_scale", "weight_scale_2"]);
    let messages: Vec<&str> = outcome.diagnostics.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "no decay rule reaches `unembed.weight`",
            "no decay rule reaches `embed.weight`",
            "no decay rule reaches `final_norm.scale`",
        ]
    );
}

/// The init of a tensor as the language writes it.
fn init_of(checked: &CheckedModel, name: &str) -> String {
    let assignments = checked.assignments().iter();
    let mut of_name =
        assignments.filter(|assignment| checked.model().instance_name(assignment.instance) == name);
    print::params::init(of_name.next().unwrap_or_else(|| panic!("{name} is a tensor")).init)
}

#[test]
fn fans_are_those_of_the_matrix_and_reach_nothing_else() {
    let checked = Sketch {
        attn: "rope, kv_heads = 1",
        optimizer: "decay 0.1 on all
            init constant(fan_in) on all
            init constant(-fan_out) on attn.k
            init constant(max(fan_in, 2 * fan_out) / layer) on mlp.gate",
        ..Sketch::default()
    }
    .compile();
    let sizes = |name: &str| {
        let mut params = checked.model().params.iter();
        let param = params.find(|param| param.path == name).unwrap_or_else(|| panic!("{name} is a tensor"));
        param.dims.iter().map(|dim| dim.size).collect::<Vec<usize>>()
    };
    let (q, k, o, gate) =
        (sizes("attn.q.weight"), sizes("attn.k.weight"), sizes("attn.o.weight"), sizes("mlp.gate.weight"));
    assert_eq!(init_of(&checked, "layers.0.attn.q.weight"), format!("constant({})", q[2]));
    assert_eq!(init_of(&checked, "layers.0.attn.o.weight"), format!("constant({})", o[1] * o[2]));
    assert_eq!(init_of(&checked, "layers.0.attn.k.weight"), format!("constant(-{})", k[0] * k[1]));
    let gate = gate[1].max(2 * gate[0]) as f64 / 2.0;
    assert_eq!(init_of(&checked, "layers.1.mlp.gate.weight"), format!("constant({gate})"));
    assert_eq!(init_of(&checked, "embed.weight"), "normal(0.02)");
    assert_eq!(init_of(&checked, "final_norm.scale"), "ones");
}

/// `name optimizer: paths` of each group.
fn optimizers(optimizer: &str) -> Vec<String> {
    let checked = Sketch { optimizer, ..Sketch::default() }.compile();
    let view = print::groups::view(&checked);
    let line = |group: &print::groups::GroupView| {
        format!("{} {} {}: {}", group.name, group.optimizer, group.lr, group.paths.join(" "))
    };
    view.groups.iter().map(line).collect()
}

#[test]
fn every_tensor_has_one_optimizer_and_a_later_rule_chooses_it() {
    assert_eq!(
        optimizers(
            "muon.lr = 0.02\n decay 0.1 on weight\n decay 0 on scale, embedding\n use muon on weight\n use muon(head) on attn.q
            use adamw on unembed\n use sgd on final_norm\n lr 0.5 on mlp\n betas (0.8, 0.99) on embedding, attn"
        ),
        [
            "weight muon(head) 0.02: attn.q.weight",
            "weight_2 muon 0.02: attn.{k, v, o}.weight",
            "weight_lr muon 0.01: mlp.{gate, up, down}.weight",
            "weight_adamw adamw 0.001: unembed.weight",
            "embedding adamw, betas (0.8, 0.99) 0.001: embed.weight",
            "scale adamw 0.001: {attn_norm, mlp_norm}.scale",
            "scale_sgd sgd 0.001: final_norm.scale",
        ]
    );
}

#[test]
fn muon_reads_each_weight_as_the_matrices_it_is() {
    use svspec_ir::{Matrices, Split};
    let checked = Sketch { attn: "kv_heads = 1", ..Sketch::default() }.compile();
    let read = |path: &str, split: Split| {
        let param = checked.model().params.iter().find(|param| param.path == path).expect("it is there");
        Matrices::of(param, split).map(|matrices| (matrices, matrices.shape(param)))
    };
    let of = |stacked, num_out| Matrices { stacked, num_out };
    // Two heads of four channels, one of keys and values, at width 8.
    assert_eq!(read("attn.q.weight", Split::Whole), Some((of(None, 2), (8, 8))));
    assert_eq!(read("attn.q.weight", Split::Head), Some((of(Some(0), 1), (4, 8))));
    assert_eq!(read("attn.k.weight", Split::Head), Some((of(Some(0), 1), (4, 8))));
    assert_eq!(read("attn.o.weight", Split::Whole), Some((of(None, 1), (8, 8))));
    assert_eq!(read("attn.o.weight", Split::Head), Some((of(Some(1), 1), (8, 4))));
    assert_eq!(read("mlp.up.weight", Split::Whole), Some((Matrices::PLAIN, (12, 8))));
    assert_eq!(read("mlp.up.weight", Split::Head), None);
}

#[test]
fn vectors_that_attention_reads_queries_and_keys_through_have_a_site_of_their_own() {
    let checked = Sketch {
        parts: "rms_norm attn_norm, mlp_norm, final_norm\n linear q1, q2, k, v { heads = 2, out = 4 }\n linear o { out = width }\n\
                rope turn\n attend look",
        layer: "n = attn_norm(x)\n q = concat(q1(n), turn(q2(n)))\n x = x + o(look(q, concat(turn(k(n)), q1(n)), v(n)))\n\
                x = x + mlp(mlp_norm(x)) + attn(n)",
        placements: "q1, q2, k, v, attn.v : out scale\n attn.q : out scale",
        optimizer: "decay 0 on all\n decay 0.3 on scale where site == qk_head",
        ..Sketch::default()
    }
    .compile();
    let of = ["q1", "q2", "k", "v", "attn.q", "attn.v"]
        .map(|path| decay_of(&checked, &format!("layers.0.{path}.out_scale")));
    assert_eq!(of, ["0.3", "0.3", "0.3", "0", "0.3", "0"]);
}

#[test]
fn norms_are_kept_of_matrices_alone_and_a_later_rule_wins() {
    assert_eq!(
        optimizers(
            "decay 0 on all\n unit rows on all\n unit columns on attn.o, mlp.down\n unit off on unembed\n use muon on mlp.down"
        ),
        [
            "weight_embedding adamw, unit rows 0.001: embed.weight attn.{q, k, v}.weight mlp.{gate, up}.weight",
            "scale adamw 0.001: {attn_norm, mlp_norm, final_norm}.scale",
            "weight adamw, unit columns 0.001: attn.o.weight",
            "weight_muon muon, unit columns 0.001: mlp.down.weight",
            "weight_2 adamw 0.001: unembed.weight",
        ]
    );
}

#[test]
fn rows_and_columns_lie_along_these_axes() {
    use svspec_ir::Unit;
    let parts = "rms_norm attn_norm, mlp_norm, final_norm\n moe experts { experts = 3, top_k = 1, hidden = 5 }\n linear gate { out = 1 }";
    let layer = "x = x + attn(attn_norm(x))\n n = mlp_norm(x)\n x = x + mlp(n) + gate(n) * experts(n)";
    let checked =
        Sketch { parts, layer, attn: "kv_heads = 1", optimizer: "decay 0 on all", ..Sketch::default() }
            .compile();
    let axes = |path: &str| {
        let param = checked.model().params.iter().find(|param| param.path == path).expect("it is there");
        [Unit::Rows, Unit::Columns].map(|unit| unit.axes(param))
    };
    // [heads, head_dim, width], [width, heads, head_dim], [experts, hidden, width], [experts, width], [vocab, width].
    assert_eq!(axes("attn.q.weight"), [Some(2..3), Some(0..2)]);
    assert_eq!(axes("attn.o.weight"), [Some(1..3), Some(0..1)]);
    assert_eq!(axes("experts.up.weight"), [Some(2..3), Some(1..2)]);
    assert_eq!(axes("experts.router.weight"), [Some(1..2), Some(0..1)]);
    assert_eq!(axes("embed.weight"), [Some(1..2), Some(0..1)]);
    // A column of one output has one entry.
    assert_eq!(axes("gate.weight"), [Some(1..2), None]);
    assert_eq!(axes("attn_norm.scale"), [None, None]);
}
