//! Diffs between whole specs: nano to each of its variants as text, and the class of single changes.

use crate::spec::{self, Sketch};
use svspec_ir::{Class, Diff, diff};

fn from_nano(target: &str) -> Diff {
    diff(&spec::compile(spec::NANO, "nano"), &spec::compile(spec::NANO, target))
}

macro_rules! to_variant {
    ($($variant:ident)*) => {
        $(
            #[test]
            fn $variant() {
                insta::assert_snapshot!(from_nano(stringify!($variant)).text());
            }
        )*
    };
}

to_variant! { no_scales hg dp dnp dnp_full or er iwd unified }

#[test]
fn as_markdown() {
    insta::assert_snapshot!(from_nano("unified").markdown());
}

#[test]
fn as_data() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&from_nano("iwd")).unwrap());
}

#[test]
fn of_itself_is_empty() {
    let nano = spec::compile(spec::NANO, "nano");
    let same = diff(&nano, &nano);
    assert!(same.is_empty());
    assert_eq!(same.text(), "nano → nano: no difference\n");
}

fn between(old: &Sketch<'_>, new: &Sketch<'_>) -> String {
    diff(&old.compile(), &new.compile()).text()
}

#[test]
fn numbers_of_the_architecture() {
    let new = Sketch {
        attn: "rope { theta = 500_000 }, window = 4",
        parts: "rms_norm attn_norm, mlp_norm, final_norm { eps = 1e-6 }",
        embedding: "x = embed(tokens) * sqrt(width)",
        ..Sketch::default()
    };
    insta::assert_snapshot!(between(&Sketch::default(), &new));
}

/// Numbers and sizes that come to differ from layer to layer are one change each, not one for each layer.
#[test]
fn numbers_and_sizes_by_layer() {
    let sketch = || Sketch { placements: "mlp.down : in scale", ..Sketch::default() };
    let old = sketch();
    let numbers = Sketch { attn: "rope { theta = 100 * layer }, window = 2 + layer", ..sketch() };
    let text = old.text().replace("hidden = 12", "hidden = 4 + 8 * layer");
    let sizes = spec::compile(&text, "small");
    let old_model = old.compile();
    let texts = [between(&old, &numbers), diff(&old_model, &sizes).text(), diff(&sizes, &old_model).text()];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn another_optimizer() {
    let old = Sketch { optimizer: "decay 0.1 on all", ..Sketch::default() };
    let new = Sketch {
        optimizer: "muon { scale = sqrt_ratio }, decay 0.1 on all, use muon on attn, mlp, betas (0.9, 0.99) on embedding, \
                    unit rows on attn.q, embedding",
        ..Sketch::default()
    };
    insta::assert_snapshot!(between(&old, &new));
}

#[test]
fn tensors_that_come() {
    let new = Sketch { attn: "rope, bias = on", ..Sketch::default() };
    insta::assert_snapshot!(between(&Sketch::default(), &new));
}

#[test]
fn tied_embeddings() {
    let new = Sketch { settings: "tie_embeddings = on", ..Sketch::default() };
    insta::assert_snapshot!(between(&Sketch::default(), &new));
}

#[test]
fn documents_apart() {
    let new = Sketch { settings: "document_end = 3", ..Sketch::default() };
    insta::assert_snapshot!(between(&Sketch::default(), &new));
}

#[test]
fn other_wiring() {
    let new = Sketch { layer: "n = attn_norm(x)\n x = x + attn(n) + mlp(mlp_norm(n))", ..Sketch::default() };
    insta::assert_snapshot!(between(&Sketch::default(), &new));
}

#[test]
fn rules_and_init() {
    let new = Sketch {
        optimizer: "decay 0.1 on weight\n decay 0 on scale, embedding\n lr 0.5 on attn where layer == 1
            init normal(0.02 / sqrt(2 * layers)) on attn.o, mlp.down\n clip off on scale",
        ..Sketch::default()
    };
    insta::assert_snapshot!(between(&Sketch::default(), &new));
}

/// The class of the change from one sketch to another, both ways.
#[track_caller]
fn class(old: &Sketch<'_>, new: &Sketch<'_>) -> (Class, Class) {
    let (old, new) = (old.compile(), new.compile());
    (diff(&old, &new).verdict.class, diff(&new, &old).verdict.class)
}

const PRESERVING: Class = Class::FunctionPreserving;
const COMPATIBLE: Class = Class::CheckpointCompatible;
const BREAKING: Class = Class::Breaking;

#[test]
fn a_vector_that_folds_may_come_and_go() {
    let with = Sketch { placements: "attn.v : out scale", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &with), (PRESERVING, PRESERVING));
}

#[test]
fn a_vector_that_does_not_fold_may_come_but_not_go() {
    let without = Sketch { placements: "attn.q : out normalize(head)", ..Sketch::default() };
    let with = Sketch { placements: "attn.q : out normalize(head) + scale", ..Sketch::default() };
    assert_eq!(class(&without, &with), (PRESERVING, BREAKING));
}

#[test]
fn a_vector_shared_by_heads_fits_one_per_channel_but_not_the_other_way() {
    let shared = Sketch { placements: "attn.q : out normalize(head) + scale(head)", ..Sketch::default() };
    let full = Sketch { placements: "attn.q : out normalize(head) + scale(full)", ..Sketch::default() };
    assert_eq!(class(&shared, &full), (PRESERVING, BREAKING));
}

#[test]
fn an_exponential_form_cannot_bear_every_vector() {
    let direct = Sketch { placements: "attn.q : out normalize(head) + scale", ..Sketch::default() };
    let exponential = Sketch {
        placements: "attn.q : out normalize(head) + scale(exp_magnitude_direction)",
        ..Sketch::default()
    };
    assert_eq!(class(&direct, &exponential), (BREAKING, PRESERVING));
}

#[test]
fn a_normalisation_more_is_another_function_of_the_same_tensors() {
    let with = Sketch { placements: "attn.q : out normalize(head)", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &with), (COMPATIBLE, COMPATIBLE));
}

#[test]
fn other_numbers_are_another_function_of_the_same_tensors() {
    let theta = Sketch { attn: "rope { theta = 500_000 }", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &theta), (COMPATIBLE, COMPATIBLE));
    let window = Sketch { attn: "rope, window = 4", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &window), (COMPATIBLE, COMPATIBLE));
}

#[test]
fn other_wiring_is_another_function_of_the_same_tensors() {
    let parallel = Sketch { layer: "x = x + attn(attn_norm(x)) + mlp(mlp_norm(x))", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &parallel), (COMPATIBLE, COMPATIBLE));
}

#[test]
fn vectors_that_change_places_map_to_one_another() {
    let moved =
        Sketch { layer: "x = x + attn(mlp_norm(x))\n x = x + mlp(attn_norm(x))", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &moved), (PRESERVING, PRESERVING));
    let said = between(&Sketch::default(), &moved);
    assert!(
        said.contains("`{mlp_norm, attn_norm}.scale` takes the values of `{attn_norm, mlp_norm}.scale`"),
        "{said}"
    );
}

#[test]
fn other_names_are_the_same_function() {
    let text =
        Sketch::default().text().replace("attn", "attention_of_it").replace("attention_of_it_norm", "first");
    let text = text.replace("mlp {", "ffn {").replace("mlp(", "ffn(");
    let (old, new) = (Sketch::default().compile(), spec::compile(&text, "small"));
    assert_eq!(diff(&old, &new).verdict.class, PRESERVING);
    insta::assert_snapshot!(diff(&old, &new).text());
}

#[test]
fn a_head_of_its_own_is_a_copy() {
    let tied = Sketch { settings: "tie_embeddings = on", ..Sketch::default() };
    assert_eq!(class(&tied, &Sketch::default()), (PRESERVING, BREAKING));
    insta::assert_snapshot!(between(&tied, &Sketch::default()));
}

#[test]
fn how_terms_of_a_sum_are_grouped_is_free() {
    let one = Sketch { layer: "x = x + attn(attn_norm(x)) + mlp(mlp_norm(x))", ..Sketch::default() };
    let other =
        Sketch { layer: "y = mlp(mlp_norm(x)) + attn(attn_norm(x))\n x = y + x", ..Sketch::default() };
    assert_eq!(class(&one, &other), (PRESERVING, PRESERVING));
}

#[test]
fn other_weights_break() {
    let biased = Sketch { attn: "rope, bias = on", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &biased), (BREAKING, BREAKING));
    let grouped = Sketch { attn: "rope, kv_heads = 1", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &grouped), (BREAKING, BREAKING));
}

#[test]
fn training_alone_keeps_the_function() {
    let decayed = Sketch { optimizer: "decay 0.1 on all\n init normal(0.01) on attn.o", ..Sketch::default() };
    assert_eq!(class(&Sketch::default(), &decayed), (PRESERVING, PRESERVING));
}

#[test]
fn no_rows_before_the_first_position_is_what_is_meant_by_default() {
    let with = |settings: &str| {
        let parts = format!("rms_norm attn_norm, mlp_norm, final_norm\n positions pos {settings}");
        Sketch { parts: &parts, embedding: "x = embed(tokens) + pos(tokens)", ..Sketch::default() }.compile()
    };
    assert!(diff(&with(""), &with("{ offset = 0 }")).is_empty());
    assert_eq!(diff(&with(""), &with("{ offset = 2 }")).verdict.class, BREAKING);
}
