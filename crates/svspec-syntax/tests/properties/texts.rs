//! Strategies for texts, from arbitrary words to well-formed specs.

use proptest::collection::vec;
use proptest::prelude::*;

/// Words and signs of the language, and some that are not, in any order.
pub fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "svspec",
        "1",
        "model",
        "variant",
        "of",
        "with",
        "optimizer",
        "adamw",
        "train",
        "import",
        "\"a.svspec\"",
        "\"",
        "layer",
        "in",
        "out",
        "on",
        "where",
        "and",
        "not",
        "x",
        "attn",
        "decay",
        "0.1",
        "2.5B",
        "1%",
        "100 steps",
        "tokens",
        "=",
        "==",
        "<",
        ":",
        "+",
        "-",
        "*",
        "/",
        "^",
        ".",
        ",",
        "(",
        ")",
        "{",
        "}",
        "\n",
        "\n",
        "\n\n",
        "\t",
        "\r\n",
        " ",
        "// comment",
        "/// doc",
        "//",
        "é",
        "\u{feff}",
        "\u{200b}",
        ";",
        "#",
        "1_",
        ".5",
    ]);
    (prop::bool::ANY, vec((word, prop::sample::select(vec![" ", "", "\n"])), 0..60)).prop_map(
        |(stated, words)| {
            let start = if stated { "svspec 1\n" } else { "" };
            words.iter().fold(start.to_owned(), |text, (word, gap)| text + word + gap)
        },
    )
}

/// Real specs in which a stretch of characters was left out, doubled, or replaced by others.
pub fn slips() -> impl Strategy<Value = String> {
    let whole = prop::sample::select(vec![
        include_str!("../../../../specs/nano.svspec"),
        include_str!("../trees/every-form.svspec"),
        include_str!("../trees/comments.svspec"),
    ]);
    let with = prop_oneof![
        Just(String::new()),
        "[{}(),:=.+*/\n -]{1,3}",
        "// [a-z]{0,5}\n",
        "\n\n\n",
        " (and|where|on|in|not|layer|of) ",
        any::<String>(),
    ];
    (whole, vec((any::<prop::sample::Index>(), 0..12_usize, with), 1..3)).prop_map(|(whole, slips)| {
        slips.into_iter().fold(whole.to_owned(), |text, (at, len, with)| {
            let first = at.index(text.chars().count() + 1);
            let before: String = text.chars().take(first).collect();
            let after: String = text.chars().skip(first + len).collect();
            before + &with + &after
        })
    })
}

/// Well-formed specs, loosely laid out and full of comments.
pub fn specs() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        Just("import \"other.svspec\"".to_owned()),
        body().prop_map(|body| format!("model nano {body}")),
        body().prop_map(|body| format!("part  pair( x ,y )\n{body}")),
        body().prop_map(|body| format!("variant hg  of nano with dp ,  dnp\n{body}")),
        body().prop_map(|body| format!("optimizer {body}")),
        body().prop_map(|body| format!("train  {body}")),
    ];
    (gap(), gap(), vec((item, gap()), 0..4)).prop_map(|(before, after, items)| {
        items.iter().fold(format!("{before}svspec 1{after}"), |text, (item, gap)| text + item + gap)
    })
}

/// What may stand between statements: at least one line break, with comments and blank lines around.
fn gap() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "\n",
        "\n",
        "\n\n\n",
        "// plain\n",
        "///  doc\n",
        "//\n",
        "  // deep\r\n",
        "//// four\n",
    ]);
    vec(line, 0..4).prop_map(|lines| format!("{}\n", lines.concat()))
}

fn body() -> BoxedStrategy<String> {
    let empty = prop::sample::select(vec!["{}", "{ }", "{\n}", "{ // nothing\n}", "{\n\n// nothing\n\n}"]);
    let leaf = empty.prop_map(str::to_owned).boxed();
    leaf.prop_recursive(3, 24, 4, |inner| {
        let end = prop_oneof![4 => gap(), 1 => Just(", ".to_owned()), 1 => Just(" ,\n".to_owned())];
        (gap(), vec((statement(&inner), end), 0..5), prop::bool::ANY).prop_map(|(gap, statements, tight)| {
            let start = if tight { " " } else { gap.as_str() };
            format!(
                "{{{start}{}}}",
                statements.iter().fold(String::new(), |text, (one, end)| text + one + end)
            )
        })
    })
    .boxed()
}

fn statement(body: &BoxedStrategy<String>) -> impl Strategy<Value = String> + use<> {
    prop_oneof![
        (path(), expr(body.clone())).prop_map(|(path, value)| format!("{path}={value}")),
        (path(), form(body.clone())).prop_map(|(path, form)| format!("{path} :{form}")),
        (path(), path(), form(body.clone())).prop_map(|(one, two, form)| format!("{one},{two}: {form}")),
        (name(), body.clone()).prop_map(|(name, body)| format!("{name} {body}")),
        name(),
        (name(), name(), body.clone()).prop_map(|(kind, name, body)| format!("{kind} {name}{body}")),
        (name(), name(), name()).prop_map(|(kind, one, two)| format!("{kind} {one}, {two}")),
        (name(), body.clone()).prop_map(|(name, body)| format!("layer {name} {body}")),
        body.clone().prop_map(|body| format!("layer {body}")),
        body.clone().prop_map(|body| format!("optimizer adamw {body}")),
        body.clone().prop_map(|body| format!("train\n{body}")),
        (value(), path(), condition())
            .prop_map(|(value, path, where_)| format!("decay {value} on {path}{where_}")),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        " where role == input",
        "\n where layer<2\n and not absorbable",
        " // why\n where part != whole and site == norm and layer >= layers / 2 and role == output and absorbable",
    ])
    .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "x",
        "attn",
        "mlp_norm",
        "a_name_that_is_longer_than_the_others",
        "or",
        "steps",
        "of",
    ])
    .prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "x",
        "attn.q",
        "attn.{q,k , v}",
        "mlp.{ gate\n,up }.in_scale",
        "layers",
        "model.train",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "1",
        "50_304",
        "2.5B tokens",
        "10 %",
        "1e-5",
        "-3",
        "(0.9,0.95)",
        "f( x )",
        "x",
        "2^-a*3",
    ])
    .prop_map(str::to_owned)
}

fn expr(body: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![4 => value(), 1 => Just("\"text\"".to_owned()), 1 => body.prop_map(|body| format!("wsd {body}"))];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = prop::sample::select(vec!["+", " - ", "*", "/\n", " + // why\n", "^", "-"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, sign, right)| format!("{left}{sign}{right}")),
            inner.clone().prop_map(|inner| format!("(\n{inner} )")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("attn( {one},\n// note\n{two}\n)")),
            inner.prop_map(|inner| format!("- {inner}")),
        ]
    })
}

fn form(body: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "normalize",
            "out normalize(head)+scale",
            "\n in scale +\n normalize",
            "out none",
            "scale(one_plus, head)",
            "out scale(a_rather_long_argument) + scale(another_rather_long_argument) + scale(one_more_long_argument)",
        ])
        .prop_map(str::to_owned),
        body.prop_map(|body| format!("out scale {body} + normalize")),
    ]
}
