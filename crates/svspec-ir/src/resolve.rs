//! A parsed program and a target's name in; the target with every name understood out.

mod amount;
mod composite;
mod draft;
mod formula;
mod kind;
mod lineage;
mod number;
mod optimizer;
mod part;
mod path;
mod placement;
mod reserved;
mod resolved;
mod rule;
mod setting;
mod sizes;
mod stack;
mod tensors;
mod told;
mod train;
mod unused;
mod uses;

pub use crate::arithmetic::FUNCTIONS;
pub use placement::FORMS;
pub use reserved::reserved;
pub use resolved::{
    Axis, Equation, Extent, Formula, FormulaKind, HeadWeight, Layer, LayerKind, Origin, Part, PartSetting,
    Place, Resolved, SettingValue, Stage, StageNormalize, StageScale, TensorStatement,
};
pub(crate) use setting::LARGEST_COUNT;
pub(crate) use told::Told;

use crate::program::Program;
use draft::{Draft, Given};
use formula::{Context, Region, formula};
use number::{DOCUMENT_END, EMBED_WIDTH, Scope};
use svspec_diagnostics::{Diagnostic, Severity, Sources, Span, did_you_mean};
use svspec_syntax::ast::{Expr, Statement, StatementKind};

/// Everything that `target` says; faults are collected, and `None` is returned if one of them is an error.
pub fn resolve(program: &Program, sources: &Sources, target: &str) -> (Option<Resolved>, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let Some(lineage) = lineage::lineage(program, target, &mut findings) else { return (None, findings) };
    let draft = draft::draft(&lineage, &mut findings);
    let expansion = composite::expand(program, &draft, &mut findings);
    let draft = draft.with(&expansion);
    let Some(last) = lineage.blocks.last() else { return (None, findings) };
    let mut scope = Scope::new(&draft, sources);
    let own = lineage.blocks.len().saturating_sub(1);
    let (doc, span) = (last.trivia.doc.as_slice(), last.name.span);
    scope.findings.extend(reserved::check(target, span));
    let head = Head { name: target, doc, lineage: lineage.names, span, own };
    let resolved = model(&mut scope, program, head);
    unused::report(&mut scope, own, resolved.as_ref());
    findings.append(&mut scope.common);
    findings.append(&mut scope.findings);
    let is_faulty = findings.iter().any(|finding| finding.severity == Severity::Error);
    (resolved.filter(|_| !is_faulty), findings)
}

struct Head<'a> {
    name: &'a str,
    doc: &'a [String],
    lineage: Vec<String>,
    span: Span,
    /// The index of the target's own block.
    own: usize,
}

fn model(scope: &mut Scope<'_>, program: &Program, head: Head<'_>) -> Option<Resolved> {
    let span = head.span;
    let stack = stack::stack(scope, span);
    let vocab = size(scope, "vocab", "the number of token ids", span);
    let context = size(scope, "context", "the longest sequence trained on", span);
    let width = size(scope, "width", "the residual stream's channels", span);
    let document_end = document_end(scope, vocab);
    let embed_width = embed_width(scope, width);
    let head_weight = tie(scope);
    let declared = part::declared(scope, span);
    let embed = embed(scope, &declared);
    let depths = depths(scope, stack.as_deref());
    let layers = layers(scope, &declared, &depths);
    let logits = logits(scope, &declared, span);
    let uses = uses::uses(declared.len(), [embed.as_ref(), logits.as_ref()], &layers, &depths);
    let mut parts = part::parts(scope, declared, &uses, width);
    placement::place(scope, &mut parts.all, &uses);
    let tensors = tensors::tensors(scope, head.own);
    let (optimizer, rules) = optimizer::optimizer(scope, program, &parts.all);
    let train = train::train(scope, program, context.unwrap_or(1), span);
    let layers = layers.into_iter().collect::<Option<Vec<Layer>>>()?;
    let (kinds, stack) = kind::kinds(&parts, &layers, &stack?);
    Some(Resolved {
        name: head.name.to_owned(),
        doc: head.doc.to_vec(),
        lineage: head.lineage,
        span,
        vocab: vocab?,
        context: context?,
        width: width?,
        document_end,
        embed_width: embed_width?,
        head: head_weight?,
        parts: parts.all,
        embed: embed?,
        layers,
        kinds,
        stack,
        logits: logits?,
        tensors,
        rules,
        optimizer,
        train: train?,
    })
}

/// A required size of the model.
fn size(scope: &mut Scope<'_>, name: &str, what: &str, model: Span) -> Option<usize> {
    let Some(expr) = setting_value(scope.draft, name) else {
        scope.findings.push(
            Diagnostic::error("missing-setting", format!("the model does not say its `{name}`, {what}"))
                .at(model, format!("has no `{name}`"))
                .help(format!("write `{name} = 256` in the model")),
        );
        return None;
    };
    let value = scope.lookup(name, expr.span)?;
    setting::whole(scope, name, value, expr.span, setting::LARGEST_COUNT)
}

fn setting_value<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a Expr> {
    match draft.settings.get(name)?.given {
        Given::Value(expr) => Some(expr),
        Given::Present => None,
    }
}

/// The setting `document_end`; `None` where it is not written, or at fault.
fn document_end(scope: &mut Scope<'_>, vocab: Option<usize>) -> Option<usize> {
    let expr = setting_value(scope.draft, DOCUMENT_END)?;
    let value = scope.lookup(DOCUMENT_END, expr.span)?;
    let token = setting::whole_from_zero(scope, DOCUMENT_END, value, expr.span, setting::LARGEST_COUNT)?;
    let vocab = vocab?;
    if token >= vocab {
        scope.findings.push(
            Diagnostic::error(
                "out-of-range",
                format!("`document_end` is {token}, and the model has {vocab} token ids"),
            )
            .at(expr.span, format!("the last one is {}", vocab.saturating_sub(1)))
            .help("write the id that ends a document: `end_of_text` in the `dataset.json` of prepared data"),
        );
        return None;
    }
    Some(token)
}

/// The setting `embed.width`, the model's `width` where it is not written.
fn embed_width(scope: &mut Scope<'_>, width: Option<usize>) -> Option<usize> {
    let Some(expr) = setting_value(scope.draft, EMBED_WIDTH) else { return width };
    let value = scope.lookup(EMBED_WIDTH, expr.span)?;
    setting::whole(scope, EMBED_WIDTH, value, expr.span, setting::LARGEST_COUNT)
}

fn tie(scope: &mut Scope<'_>) -> Option<HeadWeight> {
    let Some(expr) = setting_value(scope.draft, "tie_embeddings") else { return Some(HeadWeight::Own) };
    match setting::word(scope, "tie_embeddings", expr, &["on", "off"])? {
        "on" => Some(HeadWeight::Embedding),
        _ => Some(HeadWeight::Own),
    }
}

fn embed(scope: &mut Scope<'_>, parts: &[Part]) -> Option<Formula> {
    if let Some(expr) = setting_value(scope.draft, "x") {
        let context = Context { parts, layers: &[], names: Vec::new(), region: Region::Embed };
        return formula(scope, &context, expr);
    }
    // No equation: the embedding itself, placed for messages at the setting that gives its size.
    let span = scope.draft.settings.get("vocab")?.span;
    Some(Formula { kind: FormulaKind::Embed, span })
}

fn logits(scope: &mut Scope<'_>, parts: &[Part], model: Span) -> Option<Formula> {
    let Some(expr) = setting_value(scope.draft, "logits") else {
        scope.findings.push(
            Diagnostic::error("missing-logits", "the model does not say how the logits are computed")
                .at(model, "has no `logits`")
                .help("write `logits = unembed(final_norm(x))`"),
        );
        return None;
    };
    let context = Context { parts, layers: &[], names: vec!["x".to_owned()], region: Region::Head };
    formula(scope, &context, expr)
}

/// The depths, from 0, of each declared layer.
fn depths(scope: &Scope<'_>, stack: Option<&[usize]>) -> Vec<Vec<usize>> {
    let stack = stack.unwrap_or(&[]);
    let of_layer = |index: usize| {
        let depths = stack.iter().enumerate().filter(|(_, kind)| **kind == index);
        depths.map(|(depth, _)| depth).collect()
    };
    (0..scope.draft.layers.len()).map(of_layer).collect()
}

/// Every declared layer; `None` for one that is at fault.
fn layers(scope: &mut Scope<'_>, parts: &[Part], depths: &[Vec<usize>]) -> Vec<Option<Layer>> {
    let draft = scope.draft;
    let mut layers = Vec::new();
    for (declared, depths) in draft.layers.iter().zip(depths) {
        if ["embed", "head", "loss"].contains(&declared.name.as_str()) {
            let name = &declared.name;
            scope.findings.push(
                Diagnostic::error(
                    "duplicate-name",
                    format!("a layer cannot be called `{name}`: the model has that name"),
                )
                .at(declared.span, "taken")
                .help(format!("call it something else, such as `{name}_layer`")),
            );
        }
        let mut context =
            Context { parts, layers: depths, names: vec!["x".to_owned()], region: Region::Layer };
        let mut equations = Vec::new();
        for statement in &declared.body.statements {
            equations.push(equation(scope, &mut context, statement));
        }
        let equations: Option<Vec<Equation>> = equations.into_iter().collect();
        layers.push(equations.map(|equations| Layer {
            name: declared.name.clone(),
            span: declared.span,
            equations,
        }));
    }
    layers
}

fn equation(scope: &mut Scope<'_>, context: &mut Context<'_>, statement: &Statement) -> Option<Equation> {
    if let StatementKind::Setting { path, value } = &statement.kind
        && let Some((name, span)) = path::single(path)
        && !name.contains('.')
    {
        if context.parts.iter().any(|part| part.name == name) || name == "tokens" || scope.is_known(&name) {
            scope.findings.push(
                Diagnostic::error(
                    "duplicate-name",
                    format!("`{name}` cannot be assigned: it has a meaning already"),
                )
                .at(span, "taken")
                .help("give the value another name"),
            );
        }
        let formula = formula(scope, context, value);
        // Known from here on, also if it is at fault, so that its readers are not.
        context.names.push(name.clone());
        return Some(Equation { name, formula: formula?, span: statement.span });
    }
    scope.findings.push(
        Diagnostic::error("misplaced-statement", "only equations stand in a `layer` block")
            .at(statement.span, "not an equation")
            .help("write `x = x + attn(attn_norm(x))`; parts are declared in the model, outside the layer"),
    );
    None
}

/// A part that nobody declared.
fn unknown_part(draft: &Draft<'_>, name: &str, span: Span) -> Diagnostic {
    let names: Vec<&str> = draft.part_names().chain(["unembed"]).collect();
    let mut finding =
        Diagnostic::error("unknown-part", format!("no part is called `{name}`")).at(span, "unknown");
    if let Some(close) = did_you_mean(name, names.iter().copied()) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    if name == "embed" {
        finding = finding.help(
            "`embed` is a table, and its one setting is `embed.width`: to scale it, declare `scale gain` and write \
             `x = gain(embed(tokens))`",
        );
    }
    finding.help(format!("parts: {}", list(&names)))
}

/// `` `a`, `b` ``
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The source text of a place on one line, cut to a length fit for a message.
fn quote(sources: &Sources, span: Span) -> String {
    const LONGEST: usize = 60;
    let text = sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut}…")
}
