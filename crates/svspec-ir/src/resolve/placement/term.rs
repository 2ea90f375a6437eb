//! A term of a placement in; the normalisation or the scale vector that it stands for out.

use super::fault::unknown_setting;
use super::form::FORMS;
use crate::lower::part::{Own, Range};
use crate::op::Norm;
use crate::resolve::number::Scope;
use crate::resolve::part::unit_scale;
use crate::resolve::resolved::{Axis, Extent, Part, Place, StageNormalize, StageScale};
use crate::resolve::uses::Use;
use crate::resolve::{path::single, setting};
use crate::{PerLayer, Role};
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::{Expr, StatementKind, Term};

/// The words between the parentheses of `scale(…)`: its extent, its role, its form.
const SCALE_WORDS: [&str; 12] = [
    "full",
    "head",
    "per_head",
    "per_expert",
    "scalar",
    "input",
    "output",
    "direct",
    "one_plus",
    "magnitude_direction",
    "exp_magnitude_direction",
    "softplus",
];

/// The normalisation of a term.
pub fn normalize(scope: &mut Scope<'_>, (part, used): (&Part, &Use), term: &Term) -> Option<StageNormalize> {
    let norm = match part.kind.own {
        Own::Norm(norm, _) if term.name.text == "normalize" => norm,
        Own::Nothing | Own::Scale if term.name.text == "normalize" => Norm::Rms,
        Own::Norm(..) | Own::Nothing | Own::Scale => Norm::Layer,
    };
    let own_eps = match part.kind.own {
        Own::Norm(..) => part.per_layer("eps"),
        Own::Nothing | Own::Scale => None,
    };
    let eps = own_eps.unwrap_or(PerLayer::Uniform(1e-5));
    let mut normalize = StageNormalize { norm, axis: Axis::Full, eps };
    let mut extent = None;
    for argument in &term.arguments {
        once(scope, "extent", &mut extent, argument.span)?;
        match setting::word_after(scope, "normalize(…)", "", argument, &["full", "head"])? {
            "head" => normalize.axis = Axis::Head,
            _ => normalize.axis = Axis::Full,
        }
    }
    for (name, span, expr) in body_settings(scope, term)? {
        if name == "eps" {
            let span = expr.span;
            normalize.eps = used.number(scope, expr, |scope, value| {
                setting::within(scope, "eps", value, span, Range::NotNegative)
            })?;
        } else {
            unknown_setting(scope, "normalize", &name, span, "eps");
            return None;
        }
    }
    Some(normalize)
}

/// The place of a term that is an additive vector, which has no arguments and no settings.
pub fn bias(scope: &mut Scope<'_>, term: &Term) -> Option<Span> {
    if let Some(argument) = term.arguments.first() {
        scope.findings.push(
            Diagnostic::error(
                "unknown-value",
                format!("`bias` takes no argument, such as `{}`", scope.quote(argument.span)),
            )
            .at(argument.span, "unknown here")
            .help("write `bias`: it has the extent of the scale vector or the normalisation beside it"),
        );
        return None;
    }
    if let Some((name, span, _)) = body_settings(scope, term)?.first() {
        unknown_setting(scope, "bias", name, *span, "no setting");
        return None;
    }
    Some(term.name.span)
}

/// The scale vector of a term, and whether the term says its form.
pub fn scale(
    scope: &mut Scope<'_>,
    (part, used): (&Part, &Use),
    place: Place,
    beside: Option<&StageNormalize>,
    term: &Term,
) -> Option<(StageScale, bool)> {
    let mut scale = unit_scale(part);
    if let Some(init) = part.per_layer("init") {
        scale.init = init;
    }
    match place {
        Place::Own => {}
        Place::In(_) | Place::Out(_) => scale.extent = Extent::Full,
    }
    match beside.map(|normalize| normalize.axis) {
        Some(Axis::Head) => scale.extent = Extent::Head,
        Some(Axis::Full) | None => {}
    }
    let (mut extent, mut role, mut form) = (None, None, None);
    for argument in &term.arguments {
        let word = setting::word_after(scope, "scale(…)", "", argument, &SCALE_WORDS)?;
        let (what, seen) = match word {
            "full" | "head" | "per_head" | "per_expert" | "scalar" => ("extent", &mut extent),
            "input" | "output" => ("role", &mut role),
            _ => ("form", &mut form),
        };
        once(scope, what, seen, argument.span)?;
        match word {
            "full" => scale.extent = Extent::Full,
            "head" => scale.extent = Extent::Head,
            "per_head" => scale.extent = Extent::PerHead,
            "per_expert" => scale.extent = Extent::PerExpert,
            "scalar" => scale.extent = Extent::Scalar,
            "input" => scale.asserted = Some((Role::Input, argument.span)),
            "output" => scale.asserted = Some((Role::Output, argument.span)),
            _ => {
                if let Some((_, form)) = FORMS.into_iter().find(|(known, _)| *known == word) {
                    scale.form = form;
                }
            }
        }
    }
    for (name, span, expr) in body_settings(scope, term)? {
        if name == "init" {
            scale.init = used.number(scope, expr, |_, value| Some(value))?;
        } else {
            unknown_setting(scope, "scale", &name, span, "init");
            return None;
        }
    }
    Some((scale, form.is_some()))
}

/// A term's arguments say each thing once.
fn once(scope: &mut Scope<'_>, what: &str, seen: &mut Option<Span>, span: Span) -> Option<()> {
    match seen.replace(span) {
        None => Some(()),
        Some(first) => {
            let message =
                format!("the {what} is given twice: `{}` and `{}`", scope.quote(first), scope.quote(span));
            scope.findings.push(
                Diagnostic::error("duplicate-name", message)
                    .at(span, "given again here")
                    .because(first, "first given here")
                    .help("keep one of the two"),
            );
            None
        }
    }
}

type BodySettings<'t> = Vec<(String, Span, &'t Expr)>;

fn body_settings<'t>(scope: &mut Scope<'_>, term: &'t Term) -> Option<BodySettings<'t>> {
    let mut settings = Vec::new();
    for statement in term.body.iter().flat_map(|body| &body.statements) {
        if let StatementKind::Setting { path, value } = &statement.kind
            && let Some((name, span)) = single(path)
        {
            settings.push((name, span, value));
        } else {
            scope.findings.push(
                Diagnostic::error(
                    "misplaced-statement",
                    format!("only settings stand between the braces of `{}`", term.name.text),
                )
                .at(statement.span, "not a setting")
                .help("a setting is written `name = value`"),
            );
            return None;
        }
    }
    Some(settings)
}
