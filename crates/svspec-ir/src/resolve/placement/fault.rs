//! A placement that cannot be; the diagnostic that says so, pushed to the scope.

use super::TERMS;
use super::form::FORMS;
use crate::resolve::composite::Composite;
use crate::resolve::draft::PlacementDraft;
use crate::resolve::list;
use crate::resolve::number::Scope;
use crate::resolve::resolved::Part;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::Term;

/// The form does not fit the target.
pub fn wrong_kind<T>(
    scope: &mut Scope<'_>,
    placement: &PlacementDraft<'_>,
    what: &str,
    help: &str,
) -> Option<T> {
    let form = scope.quote(placement.form.span);
    scope.findings.push(
        Diagnostic::error(
            "placement-on-wrong-kind",
            format!("`{form}` does not fit `{}`: {what}", placement.target),
        )
        .at(placement.span, "placed here")
        .help(help),
    );
    None
}

/// The target is a part of a kind that a file defines, or nothing in it.
pub fn not_one_place<T>(
    scope: &mut Scope<'_>,
    placement: &PlacementDraft<'_>,
    name: &str,
    composite: &Composite,
) -> Option<T> {
    let parts: Vec<&str> = composite.parts.iter().map(String::as_str).collect();
    let what = format!("`{name}` is a part of kind `{}`, made of {}", composite.kind, list(&parts));
    let help = format!("say which: `{name}.{} : …`", parts.first().unwrap_or(&"PART"));
    wrong_kind(scope, placement, &what, &help)
}

/// The part has no such linear map.
pub fn unknown_port<T>(
    scope: &mut Scope<'_>,
    part: &Part,
    port: &str,
    ports: &[&str],
    placement: &PlacementDraft<'_>,
) -> Option<T> {
    let message = format!("`{}` has no linear map called `{port}`", part.name);
    let mut finding = Diagnostic::error("unknown-port", message)
        .at(placement.span, "unknown")
        .because(part.span, format!("`{}` is a part of kind `{}`", part.name, part.kind.name));
    // One letter is near to any other.
    if port.len() > 1
        && let Some(close) = did_you_mean(port, ports.iter().copied())
    {
        finding = finding.help(format!("did you mean `{}.{close}`?", part.name));
    }
    finding = if ports.is_empty() {
        finding.help(format!("write `{} : …`", part.name))
    } else {
        finding.help(format!("linear maps of `{}`: {}", part.kind.name, list(ports)))
    };
    scope.findings.push(finding);
    None
}

/// No such thing is placed.
pub fn unknown_form(scope: &mut Scope<'_>, term: &Term) {
    let name = &term.name.text;
    if FORMS.iter().any(|(form, _)| form == name) {
        scope.findings.push(
            Diagnostic::error(
                "unknown-form",
                format!("`{name}` is the form of a scale vector, not something to place"),
            )
            .at(term.name.span, "a form")
            .help(format!("write `scale({name})`")),
        );
        return;
    }
    let mut finding = Diagnostic::error("unknown-form", format!("nothing called `{name}` can be placed"))
        .at(term.name.span, "unknown");
    if let Some(close) = did_you_mean(name, TERMS) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    scope.findings.push(finding.help(
        "write `normalize`, `layer_normalize`, `scale`, `bias`, a sum of these or `none`; or the form of a vector: `direct`, `one_plus`, \
         `magnitude_direction`, `exp_magnitude_direction`, `softplus`",
    ));
}

/// A term has no such setting.
pub fn unknown_setting(scope: &mut Scope<'_>, term: &str, name: &str, span: Span, known: &str) {
    scope.findings.push(
        Diagnostic::error("unknown-setting", format!("`{term}` has no setting called `{name}`"))
            .at(span, "unknown")
            .help(format!("it has `{known}`")),
    );
}
