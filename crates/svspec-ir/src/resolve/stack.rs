//! `stack = 2 * (5 * local + global) + local` in; the layer kind at each depth out.

use super::draft::{Draft, Given};
use super::number::Scope;
use super::{path::single, setting};
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, Operator};

/// No stack is deeper.
const MOST_LAYERS: usize = 4096;
/// No stack expression is nested deeper.
const DEEPEST: usize = 128;

/// The layer kind at each depth, as indices into the draft's layers; `None` after a diagnostic.
pub fn stack(scope: &mut Scope<'_>, model: Span) -> Option<Vec<usize>> {
    let entry = scope.draft.settings.get("stack").copied();
    let expr = entry.and_then(|entry| match entry.given {
        Given::Value(expr) => Some(expr),
        Given::Present => None,
    });
    let Some(expr) = expr else {
        let kind = scope.draft.layers.first().map_or("layer", |layer| layer.name.as_str());
        scope.findings.push(
            Diagnostic::error("missing-stack", "the model does not say how many layers it has")
                .at(model, "has no `stack`")
                .help(format!("write `stack = 12 * {kind}`")),
        );
        return None;
    };
    let layers = scope.in_stack(|scope| Walk { scope, whole: expr.span }.kinds(expr, 0))?;
    scope.num_layers = Some(layers.len());
    Some(layers)
}

struct Walk<'s, 'a> {
    scope: &'s mut Scope<'a>,
    whole: Span,
}

impl Walk<'_, '_> {
    fn kinds(&mut self, expr: &Expr, depth: usize) -> Option<Vec<usize>> {
        if depth > DEEPEST {
            let message = format!("the stack is nested more than {DEEPEST} deep");
            self.scope.findings.push(
                Diagnostic::error("nested-too-deeply", message)
                    .at(expr.span, "too deep from here on")
                    .help("write repeated layers with a factor, such as `12 * layer`"),
            );
            return None;
        }
        match &expr.kind {
            ExprKind::Group(inner) => self.kinds(inner, depth + 1),
            ExprKind::Name(path) => {
                let (name, span) = single(path)?;
                self.kind(&name, span).map(|kind| vec![kind])
            }
            ExprKind::Binary { operator: Operator::Add, left, right } => {
                let left = self.kinds(left, depth + 1);
                let right = self.kinds(right, depth + 1);
                let (mut all, right) = (left?, right?);
                self.room(all.len() as f64 + right.len() as f64)?;
                all.extend(right);
                Some(all)
            }
            ExprKind::Binary { operator: Operator::Multiply, left, right } => {
                let (count, kinds) =
                    if names_layers(self.scope.draft, left, 0) { (right, left) } else { (left, right) };
                let value = self.scope.number(count);
                let kinds = self.kinds(kinds, depth + 1);
                let (value, kinds) = (value?, kinds?);
                self.room(value * kinds.len() as f64)?;
                let count = setting::whole(self.scope, "stack", value, count.span, MOST_LAYERS as f64)?;
                Some(std::iter::repeat_n(kinds, count).flatten().collect())
            }
            ExprKind::Binary {
                operator: Operator::Subtract | Operator::Divide | Operator::Power, ..
            }
            | ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Call { .. }
            | ExprKind::Record { .. }
            | ExprKind::Tuple(_)
            | ExprKind::Negate(_) => {
                let message =
                    format!("`{}` is not a layer or a repetition of layers", self.scope.quote(expr.span));
                self.scope.findings.push(
                    Diagnostic::error("not-a-layer", message)
                        .at(expr.span, "not a layer")
                        .help("write `12 * layer`, or a sum such as `2 * (5 * local + global) + local`"),
                );
                None
            }
        }
    }

    fn kind(&mut self, name: &str, span: Span) -> Option<usize> {
        let layers = &self.scope.draft.layers;
        let found = layers.iter().position(|layer| layer.name == name);
        if found.is_none() {
            let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
            let mut finding = Diagnostic::error("unknown-name", format!("no layer is called `{name}`"))
                .at(span, "not a `layer` block of this model");
            if let Some(close) = did_you_mean(name, names.iter().copied()) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            finding = if names.is_empty() {
                finding.help("declare one: `layer { x = x + … }`")
            } else {
                finding.help(format!("layers: {}", super::list(&names)))
            };
            self.scope.findings.push(finding);
        }
        found
    }

    fn room(&mut self, layers: f64) -> Option<()> {
        if layers <= MOST_LAYERS as f64 {
            return Some(());
        }
        let message =
            format!("the stack would have {} layers; the most is {MOST_LAYERS}", setting::plain(layers));
        self.scope.findings.push(
            Diagnostic::error("too-large", message)
                .at(self.whole, "too many layers")
                .help("check the digits and the suffix: `K` is a thousand"),
        );
        None
    }
}

fn names_layers(draft: &Draft<'_>, expr: &Expr, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match &expr.kind {
        ExprKind::Name(path) => {
            single(path).is_some_and(|(name, _)| draft.layers.iter().any(|layer| layer.name == name))
        }
        ExprKind::Group(inner) | ExprKind::Negate(inner) => names_layers(draft, inner, depth + 1),
        ExprKind::Binary { left, right, .. } => {
            names_layers(draft, left, depth + 1) || names_layers(draft, right, depth + 1)
        }
        ExprKind::Call { .. }
        | ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Record { .. }
        | ExprKind::Tuple(_) => false,
    }
}
