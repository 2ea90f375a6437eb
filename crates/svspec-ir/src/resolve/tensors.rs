//! The `tensors` blocks of a target in; the names and layouts that they state, understood, out.

use super::draft::duplicate;
use super::number::Scope;
use super::path::{expand, single};
use super::resolved::{Origin, TensorStatement, TensorStatements};
use super::setting;
use crate::PerLayer;
use crate::foreign::{ForeignName, Heads, Layout, Orientation};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, Path, Statement, StatementKind};

/// Whose names a block may give.
const SCHEMES: [&str; 1] = ["huggingface"];
/// How parameters may lie in a foreign tensor.
const LAYOUTS: [&str; 5] = ["stacked", "interleaved", "by_head", "skipped", "transposed"];
/// Placeholders of names, all but the empty one, which stands for the word of a list.
const PLACEHOLDERS: [&str; 3] = ["layer", "expert", "head"];

/// What all blocks say, in order. `own` is the index of the target's own block.
pub fn tensors(scope: &mut Scope<'_>, own: usize) -> TensorStatements {
    let mut found = TensorStatements::default();
    let mut known: BTreeMap<(usize, Option<usize>, String), Span> = BTreeMap::new();
    let draft = scope.draft;
    for &(block, scheme, body) in &draft.tensors {
        if !SCHEMES.contains(&scheme.text.as_str()) {
            let message = format!("names of tensors are those of `huggingface`, not of `{}`", scheme.text);
            scope.findings.push(
                Diagnostic::error("unknown-value", message)
                    .at(scheme.span, "unknown here")
                    .help("write `tensors huggingface { … }`"),
            );
            continue;
        }
        let origin = if block == own { Origin::Own } else { Origin::Inherited };
        let mut bodies = vec![(None, body)];
        while let Some((layer, body)) = bodies.pop() {
            for statement in &body.statements {
                match &statement.kind {
                    StatementKind::Setting { path, value } if is_ignore(path) && layer.is_none() => {
                        found.ignored = ignored(scope, value);
                    }
                    StatementKind::Setting { path, value } => {
                        for (name, span) in expand(path) {
                            if let Some(&first) = known.get(&(block, layer, name.clone())) {
                                scope.findings.push(duplicate("tensor", &name, span, first));
                            }
                            known.insert((block, layer, name), span);
                        }
                        let of = Of { layer, origin, span: statement.span };
                        found.statements.extend(entry(scope, path, value, of).unwrap_or_default());
                    }
                    StatementKind::Layer { name: Some(name), body } if layer.is_none() => {
                        match draft.layers.iter().position(|layer| layer.name == name.text) {
                            Some(index) => bodies.push((Some(index), body)),
                            None => scope.findings.push(unknown_layer(scope, &name.text, name.span)),
                        }
                    }
                    StatementKind::Layer { .. }
                    | StatementKind::Block { .. }
                    | StatementKind::Part { .. }
                    | StatementKind::Tensors { .. }
                    | StatementKind::Placement { .. }
                    | StatementKind::Rule(_)
                    | StatementKind::Optimizer(_)
                    | StatementKind::Train(_) => scope.findings.push(misplaced(statement)),
                }
            }
        }
    }
    found
}

/// What is the same for all tensors of one statement.
#[derive(Clone, Copy)]
struct Of {
    layer: Option<usize>,
    origin: Origin,
    span: Span,
}

fn is_ignore(path: &Path) -> bool {
    single(path).is_some_and(|(name, _)| name == "ignore")
}

/// The foreign tensors of one statement: for each word of all lists but the last, one that holds the parameters of the
/// last, or one for each of these.
fn entry(scope: &mut Scope<'_>, path: &Path, value: &Expr, of: Of) -> Option<Vec<TensorStatement>> {
    let found = right_side(scope, value)?;
    let members = expand(path);
    let list = path.segments.iter().rfind(|segment| segment.len() > 1);
    let together = list.map_or(1, Vec::len);
    let statement = |members, word: Option<&str>| TensorStatement {
        members,
        layer: of.layer,
        name: ForeignName::new(found.name.replace("{}", word.unwrap_or("{}"))),
        name_span: found.span,
        layout: found.layout,
        num_blocks: found.num_blocks.clone(),
        origin: of.origin,
        span: of.span,
    };
    match (list, found.held) {
        (Some(list), Held::One) => Some(
            members
                .into_iter()
                .zip(list.iter().cycle())
                .map(|(member, word)| statement(vec![member], Some(&word.text)))
                .collect(),
        ),
        (None | Some(_), _) if found.name.contains("{}") => {
            scope.findings.push(
                Diagnostic::error("misplaced-placeholder", "`{}` stands for no word here")
                    .at(found.span, "which word?")
                    .help(
                        "`{}` is the word of a list on the left: `attn.{q, k}.weight = \"….{}_proj.weight\"`",
                    ),
            );
            None
        }
        (None | Some(_), _) => {
            Some(members.chunks(together).map(|members| statement(members.to_vec(), None)).collect())
        }
    }
}

/// What stands on the right of a statement.
struct RightSide {
    name: String,
    span: Span,
    layout: Layout,
    num_blocks: PerLayer,
    held: Held,
}

/// How many parameters a foreign tensor holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// One: a list on the left is a statement for each of its words.
    One,
    /// All on the left.
    All,
}

/// A name within the layouts, which are written from the outside in: `stacked` or `interleaved`, `by_head`, `skipped`,
/// `transposed`.
fn right_side(scope: &mut Scope<'_>, value: &Expr) -> Option<RightSide> {
    let mut layout = Layout::PLAIN;
    let mut num_blocks = PerLayer::Uniform(1.0);
    let mut held = Held::One;
    let mut level = 0;
    let mut inner = value;
    loop {
        match &inner.kind {
            ExprKind::String(text) => {
                let name = checked_name(scope, text, inner.span)?;
                if name.contains("{head}") {
                    layout.heads = Heads::Apart;
                }
                return Some(RightSide { name, span: inner.span, layout, num_blocks, held });
            }
            ExprKind::Group(group) => inner = group,
            ExprKind::Call { callee, arguments } => {
                let (word, span) = single(callee)?;
                let (own_level, next) = match (word.as_str(), arguments.as_slice()) {
                    ("stacked", [next]) => {
                        held = Held::All;
                        (1, next)
                    }
                    ("interleaved", [blocks, next]) => {
                        held = Held::All;
                        num_blocks = scope.per_layer(
                            blocks,
                            |_| true,
                            |scope, value| {
                                setting::whole(
                                    scope,
                                    "interleaved",
                                    value,
                                    blocks.span,
                                    setting::LARGEST_COUNT,
                                )
                                .map(|count| count as f64)
                            },
                        )?;
                        (1, next)
                    }
                    ("by_head", [next]) => {
                        layout.heads = Heads::Apart;
                        (2, next)
                    }
                    ("skipped", [rows, next]) => {
                        layout.skipped_rows = setting::count(scope, "skipped", rows, setting::LARGEST_COUNT)?;
                        (3, next)
                    }
                    ("transposed", [next]) => {
                        layout.orientation = Orientation::InOut;
                        (4, next)
                    }
                    (known, _) if LAYOUTS.contains(&known) => {
                        scope.findings.push(wrong_arguments(known, inner.span));
                        return None;
                    }
                    (unknown, _) => {
                        scope.findings.push(unknown_layout(unknown, span));
                        return None;
                    }
                };
                if own_level <= level {
                    scope.findings.push(wrong_order(&word, inner.span));
                    return None;
                }
                level = own_level;
                inner = next;
            }
            ExprKind::Number(_)
            | ExprKind::Name(_)
            | ExprKind::Record { .. }
            | ExprKind::Tuple(_)
            | ExprKind::Negate(_)
            | ExprKind::Binary { .. } => {
                scope.findings.push(not_a_name(scope, inner));
                return None;
            }
        }
    }
}

/// A name whose placeholders all mean something.
fn checked_name(scope: &mut Scope<'_>, text: &str, span: Span) -> Option<String> {
    let mut rest = text;
    while let Some(start) = rest.find(['{', '}']) {
        let tail = rest.get(start..).unwrap_or("");
        let word = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'));
        let Some((_, after)) = word.filter(|(word, _)| word.is_empty() || PLACEHOLDERS.contains(word)) else {
            let shown = word.map_or("a single brace".to_owned(), |(word, _)| format!("`{{{word}}}`"));
            scope.findings.push(
                Diagnostic::error("misplaced-placeholder", format!("{shown} stands for nothing"))
                    .at(span, "in this name")
                    .help("placeholders: `{layer}`, `{expert}`, `{head}`, and `{}` for the word of a list"),
            );
            return None;
        };
        rest = after;
    }
    Some(text.to_owned())
}

fn ignored(scope: &mut Scope<'_>, value: &Expr) -> Vec<ForeignName> {
    let values = match &value.kind {
        ExprKind::Tuple(values) => values.as_slice(),
        ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Name(_)
        | ExprKind::Call { .. }
        | ExprKind::Record { .. }
        | ExprKind::Negate(_)
        | ExprKind::Binary { .. }
        | ExprKind::Group(_) => std::slice::from_ref(value),
    };
    let mut names = Vec::new();
    for value in values {
        if let ExprKind::String(text) = &value.kind {
            names.extend(checked_name(scope, text, value.span).map(ForeignName::new));
        } else {
            scope.findings.push(not_a_name(scope, value));
        }
    }
    names
}

fn not_a_name(scope: &Scope<'_>, value: &Expr) -> Diagnostic {
    let message = format!("`{}` is not the name of a tensor", scope.quote(value.span));
    Diagnostic::error("not-a-tensor-name", message)
        .at(value.span, "a text in double quotes stands here")
        .help("write `embed.weight = \"model.embed_tokens.weight\"`, or a layout of one: `transposed(\"…\")`")
}

fn unknown_layout(word: &str, span: Span) -> Diagnostic {
    let message = format!("tensors are not laid out in a way called `{word}`");
    let mut finding = Diagnostic::error("unknown-function", message).at(span, "unknown");
    if let Some(close) = did_you_mean(word, LAYOUTS) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    finding.help(format!("layouts: {}", super::list(&LAYOUTS)))
}

fn wrong_arguments(word: &str, span: Span) -> Diagnostic {
    let form = match word {
        "interleaved" => "interleaved(HEADS, \"…\")",
        "skipped" => "skipped(ROWS, \"…\")",
        "stacked" => "stacked(\"…\")",
        "by_head" => "by_head(\"…\")",
        _ => "transposed(\"…\")",
    };
    Diagnostic::error("wrong-arguments", format!("`{word}` is not given what it needs"))
        .at(span, "wrong arguments")
        .help(format!("write `{form}`"))
}

fn wrong_order(word: &str, span: Span) -> Diagnostic {
    let message = format!("`{word}` cannot stand within the layout around it");
    Diagnostic::error("wrong-arguments", message).at(span, "in the wrong order").help(
        "from the outside in: `stacked` or `interleaved`, then `by_head`, then `skipped`, then `transposed`, \
         then the name",
    )
}

fn unknown_layer(scope: &Scope<'_>, name: &str, span: Span) -> Diagnostic {
    let names: Vec<&str> = scope.draft.layers.iter().map(|layer| layer.name.as_str()).collect();
    let mut finding = Diagnostic::error("not-a-layer", format!("no kind of layer is called `{name}`"))
        .at(span, "not a layer of this model");
    if let Some(close) = did_you_mean(name, names.iter().copied()) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    finding.help(format!("layers: {}", super::list(&names)))
}

fn misplaced(statement: &Statement) -> Diagnostic {
    Diagnostic::error("misplaced-statement", "only names of tensors stand in a `tensors` block")
        .at(statement.span, "not the name of a tensor")
        .help("write `attn.q.weight = \"…\"`; what holds for one kind of layer stands in `layer NAME { … }`")
}
