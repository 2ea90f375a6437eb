//! What a target declares and never uses: parts, layers and constants.

use super::draft::Given;
use super::number::{NUMERIC_SETTINGS, OTHER_SETTINGS, Scope};
use super::resolved::{Formula, FormulaKind, Layer, Part, Resolved};
use std::collections::BTreeSet;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Body, Expr, ExprKind, StatementKind};

/// Reports it for what the target's own block (`own`, its index in the lineage) declares; what it inherits is its base's
/// affair. Also values that no equation reads. Also a part that is used both in and outside layers, wherever it is declared.
pub fn report(scope: &mut Scope<'_>, own: usize, resolved: Option<&Resolved>) {
    constants(scope, own);
    let Some(resolved) = resolved else { return };
    let mut in_layers = BTreeSet::new();
    let mut outside = BTreeSet::new();
    for equation in resolved.layers.iter().flat_map(|layer| &layer.equations) {
        used(&equation.formula, &mut in_layers);
    }
    used(&resolved.embed, &mut outside);
    used(&resolved.logits, &mut outside);
    for (index, part) in resolved.parts.iter().enumerate() {
        if in_layers.contains(&index) && outside.contains(&index) {
            in_and_outside(scope, part, resolved, index);
        }
        let is_own =
            scope.draft.parts.iter().any(|declared| declared.name.text == part.name && declared.block == own);
        let is_unused = !in_layers.contains(&index) && !outside.contains(&index);
        if is_own && is_unused && scope.draft.composite_of(&part.name).is_none() {
            scope.findings.push(
                Diagnostic::warning("unused-part", format!("no equation uses the part `{}`", part.name))
                    .at(part.span, "never used")
                    .help("use it in an equation, or remove it"),
            );
        }
    }
    let is_used = |part: &(usize, &Part)| in_layers.contains(&part.0) || outside.contains(&part.0);
    composites(
        scope,
        own,
        &resolved.parts.iter().enumerate().filter(is_used).map(|(_, part)| part).collect::<Vec<_>>(),
    );
    for (index, layer) in resolved.layers.iter().enumerate() {
        // The draft's layers are in the same order.
        if scope.draft.layers.get(index).is_none_or(|draft| draft.block != own) {
            continue;
        }
        values(scope, layer);
        if !resolved
            .stack
            .iter()
            .any(|kind| resolved.kinds.get(*kind).is_some_and(|kind| kind.layer == index))
        {
            scope.findings.push(
                Diagnostic::warning(
                    "unused-layer",
                    format!("the stack has no layer of kind `{}`", layer.name),
                )
                .at(layer.span, "never used")
                .help("name it in `stack`, or remove it"),
            );
        }
    }
}

/// Parts of defined kinds of which nothing is used, and parts of those that are used which their definition forgets.
fn composites(scope: &mut Scope<'_>, own: usize, used: &[&Part]) {
    let draft = scope.draft;
    for (name, composite) in draft.composites.iter().filter(|(_, composite)| composite.block == own) {
        let prefix = format!("{name}.");
        let is_used = used.iter().any(|part| part.name.starts_with(&prefix));
        let is_within =
            draft.composites.keys().any(|outer| prefix.starts_with(&format!("{outer}.")) && outer != name);
        if !is_used && !is_within && !composite.parts.is_empty() && !composite.equations.is_empty() {
            scope.findings.push(
                Diagnostic::warning("unused-part", format!("no equation uses the part `{name}`"))
                    .at(composite.span, "never used")
                    .help("use it in an equation, or remove it"),
            );
        }
        let parts = draft
            .parts
            .iter()
            .filter(|part| part.name.text.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('.')));
        let forgotten = parts.filter(|part| !used.iter().any(|used| used.name == part.name.text));
        for part in forgotten.filter(|_| is_used) {
            scope.findings.push(
                Diagnostic::warning(
                    "unused-part",
                    format!("no equation of `{}` uses this part", composite.kind),
                )
                .at(part.name.span, "never used")
                .help("use it in an equation of the definition, or remove it"),
            );
        }
    }
}

/// Equations whose value nothing reads: neither a later equation, nor the next layer.
fn values(scope: &mut Scope<'_>, layer: &Layer) {
    for (index, equation) in layer.equations.iter().enumerate() {
        let name = &equation.name;
        let mut later = layer.equations.iter().skip(index + 1);
        let last_word = later.find_map(|later| {
            if reads(&later.formula, name) {
                return Some(None);
            }
            (later.name == *name).then_some(Some(later.span))
        });
        let finding = match last_word {
            // Read, or, as the layer's `x`, what leaves it.
            Some(None) => continue,
            None if name == "x" => continue,
            None => unread(name, equation.span).help(format!(
                "use `{name}` in an equation below it, or remove it; what leaves the layer is `x`"
            )),
            Some(Some(again)) => unread(name, equation.span)
                .because(again, format!("`{name}` is given another value here, without a look at this one"))
                .help(format!("use `{name}` before that, or remove the equation")),
        };
        scope.findings.push(finding);
    }
}

fn unread(name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("unused-value", format!("nothing reads this `{name}`"))
        .at(span, "computed for nothing")
}

fn reads(formula: &Formula, name: &str) -> bool {
    match &formula.kind {
        FormulaKind::Name(read) => read == name,
        FormulaKind::Embed => false,
        FormulaKind::Part(_, arguments) | FormulaKind::Call(_, arguments) => {
            arguments.iter().any(|argument| reads(argument, name))
        }
        FormulaKind::Composite { equations, result, .. } => {
            equations.iter().any(|equation| reads(&equation.formula, name)) || reads(result, name)
        }
        FormulaKind::Around { argument, inner, .. } => reads(argument, name) || reads(inner, name),
        FormulaKind::Gain(_, argument) | FormulaKind::PositionGain(_, argument) => reads(argument, name),
        FormulaKind::Add(left, right) | FormulaKind::Mul(left, right) => {
            reads(left, name) || reads(right, name)
        }
    }
}

/// The parts that a formula applies, by their index.
pub fn used(formula: &Formula, parts: &mut BTreeSet<usize>) {
    match &formula.kind {
        FormulaKind::Name(_) | FormulaKind::Embed => {}
        FormulaKind::Part(index, arguments) => {
            parts.insert(*index);
            for argument in arguments {
                used(argument, parts);
            }
        }
        FormulaKind::Composite { equations, result, .. } => {
            for equation in equations {
                used(&equation.formula, parts);
            }
            used(result, parts);
        }
        FormulaKind::Around { part, argument, inner, .. } => {
            parts.insert(*part);
            used(argument, parts);
            used(inner, parts);
        }
        FormulaKind::Gain(_, argument) | FormulaKind::PositionGain(_, argument) => used(argument, parts),
        FormulaKind::Call(_, arguments) => {
            for argument in arguments {
                used(argument, parts);
            }
        }
        FormulaKind::Add(left, right) | FormulaKind::Mul(left, right) => {
            used(left, parts);
            used(right, parts);
        }
    }
}

fn in_and_outside(scope: &mut Scope<'_>, part: &Part, resolved: &Resolved, index: usize) {
    let uses = |formula: &Formula| {
        let mut parts = BTreeSet::new();
        used(formula, &mut parts);
        parts.contains(&index)
    };
    let mut equations = resolved.layers.iter().flat_map(|layer| &layer.equations);
    let layer_use = equations.find(|equation| uses(&equation.formula)).map(|equation| equation.span);
    let outer = if uses(&resolved.logits) { resolved.logits.span } else { resolved.embed.span };
    let message = format!("`{}` is used both in a layer and outside the layers", part.name);
    let mut finding =
        Diagnostic::error("part-in-and-outside-layers", message).at(outer, "used outside the layers here");
    if let Some(span) = layer_use {
        finding = finding.because(span, "used in every layer here");
    }
    scope.findings.push(finding.because(part.span, "declared here").help(
        "a part in a layer has parameters of its own in each layer; declare a second part for the other use",
    ));
}

/// Settings of one word that the model does not have and no expression uses.
fn constants(scope: &mut Scope<'_>, own: usize) {
    let draft = scope.draft;
    let is_setting = |name: &str| {
        name.contains('.') || NUMERIC_SETTINGS.iter().chain(&OTHER_SETTINGS).any(|known| *known == name)
    };
    let mut named = BTreeSet::new();
    for (_, entry) in draft.settings.iter().filter(|(name, _)| is_setting(name)) {
        named_by(entry.given, &mut named);
    }
    let bodies = draft.layers.iter().map(|layer| layer.body);
    let blocks = draft.optimizers.iter().map(|(_, block)| &block.body);
    for body in bodies.chain(blocks).chain(draft.trains.iter().map(|(_, body)| *body)) {
        names_in(body, &mut named, 0);
    }
    named.extend(scope.used.iter().cloned());
    // A constant is used if a used one names it: two that name only each other are not.
    let mut open: Vec<String> = named.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let Some(entry) = draft.settings.get(&name) else { continue };
        let mut more = BTreeSet::new();
        named_by(entry.given, &mut more);
        open.extend(more.into_iter().filter(|name| named.insert(name.clone())));
    }
    for (name, entry) in &draft.settings {
        let known = NUMERIC_SETTINGS.iter().chain(&OTHER_SETTINGS).copied();
        if entry.block != own
            || name.contains('.')
            || known.clone().any(|known| known == name)
            || named.contains(name)
        {
            continue;
        }
        if let Some(close) = did_you_mean(name, known.clone()) {
            scope.findings.push(
                Diagnostic::error("unknown-setting", format!("a model has no setting called `{name}`"))
                    .at(entry.name_span, "unknown, and no expression uses it")
                    .help(format!("did you mean `{close}`?")),
            );
        } else {
            let settings: Vec<&str> = known.collect();
            scope.findings.push(
                Diagnostic::error("unused-constant", format!("no expression uses the constant `{name}`"))
                    .at(entry.name_span, "not a setting of a model, so a constant of your own")
                    .help("use it in an expression, or remove it")
                    .help(format!("settings of a model: {}", super::list(&settings))),
            );
        }
        if let Given::Value(expr) = entry.given {
            // Its own faults count too.
            scope.lookup(name, expr.span);
        }
    }
}

const DEEPEST: usize = 128;

fn named_by(given: Given<'_>, found: &mut BTreeSet<String>) {
    match given {
        Given::Value(expr) => names(expr, found, 0),
        Given::Present => {}
    }
}

/// Every name in an expression.
pub fn names(expr: &Expr, found: &mut BTreeSet<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match &expr.kind {
        ExprKind::Name(path) => found.extend(super::path::expand(path).into_iter().map(|(name, _)| name)),
        ExprKind::Call { arguments, .. } => arguments.iter().for_each(|expr| names(expr, found, depth + 1)),
        ExprKind::Tuple(items) => items.iter().for_each(|expr| names(expr, found, depth + 1)),
        ExprKind::Negate(inner) | ExprKind::Group(inner) => names(inner, found, depth + 1),
        ExprKind::Binary { left, right, .. } => {
            names(left, found, depth + 1);
            names(right, found, depth + 1);
        }
        ExprKind::Record { body, .. } => names_in(body, found, depth + 1),
        ExprKind::Number(_) | ExprKind::String(_) => {}
    }
}

/// Every name in the values of statements.
pub fn names_in(body: &Body, found: &mut BTreeSet<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    for statement in &body.statements {
        match &statement.kind {
            StatementKind::Setting { value, .. } => names(value, found, depth + 1),
            StatementKind::Rule(rule) => {
                names(&rule.value, found, depth + 1);
                let tests = rule.conditions.iter().filter_map(|condition| condition.test.as_ref());
                tests.for_each(|(_, expr)| names(expr, found, depth + 1));
            }
            StatementKind::Block { body: Some(body), .. }
            | StatementKind::Part { body: Some(body), .. }
            | StatementKind::Layer { body, .. }
            | StatementKind::Tensors { body, .. }
            | StatementKind::Train(body) => names_in(body, found, depth + 1),
            StatementKind::Optimizer(block) => names_in(&block.body, found, depth + 1),
            StatementKind::Placement { form, .. } => {
                form.terms
                    .iter()
                    .filter_map(|term| term.body.as_ref())
                    .for_each(|body| names_in(body, found, depth + 1));
            }
            StatementKind::Block { body: None, .. } | StatementKind::Part { body: None, .. } => {}
        }
    }
}
