//! Placements, in order, in; parts with what stands at each port out.

use super::draft::PlacementDraft;
use super::number::Scope;
use super::resolved::{Axis, Extent, Part, Place, Stage, StageNormalize, StageScale};
use super::{part::unit_scale, setting};
use crate::lower::part::{Own, Ports, Range};
use crate::op::Norm;
use crate::{Role, ScaleForm};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Port, StatementKind, Term};

/// The forms that a scale vector can take, by the word that a placement uses.
pub const FORMS: [(&str, ScaleForm); 4] = [
    ("direct", ScaleForm::Direct),
    ("one_plus", ScaleForm::OnePlus),
    ("magnitude_direction", ScaleForm::MagnitudeDirection),
    ("exp_magnitude_direction", ScaleForm::ExpMagnitudeDirection),
];

/// The words of a form's terms.
const TERMS: [&str; 7] =
    ["normalize", "scale", "none", "direct", "one_plus", "magnitude_direction", "exp_magnitude_direction"];

/// Applies the placements to the parts.
pub fn place(scope: &mut Scope<'_>, parts: &mut [Part]) {
    let draft = scope.draft;
    let mut stated: BTreeMap<String, usize> = BTreeMap::new();
    let mut reforms = Vec::new();
    for (index, placement) in draft.placements.iter().enumerate() {
        if placement.form.port.is_none()
            && let [term] = placement.form.terms.as_slice()
            && let Some((_, form)) = FORMS.into_iter().find(|(word, _)| *word == term.name.text)
        {
            reforms.push((index, placement, form));
        } else if let Some((path, has_form)) = place_one(scope, parts, placement) {
            if has_form {
                stated.insert(path, index);
            } else {
                stated.remove(&path);
            }
        }
    }
    reform(scope, parts, &reforms, &stated);
    check_inits(scope, parts);
}

/// Applies one placement that names a part or a port. Returns the path of the vector there, and whether its form is said.
fn place_one(
    scope: &mut Scope<'_>,
    parts: &mut [Part],
    placement: &PlacementDraft<'_>,
) -> Option<(String, bool)> {
    // A misspelt form of a vector, rather than a misspelt port.
    if let (None, [term]) = (placement.form.port, placement.form.terms.as_slice())
        && !TERMS.contains(&term.name.text.as_str())
    {
        unknown_form(scope, term);
        return None;
    }
    let (name, port) = match placement.target.split_once('.') {
        Some((name, port)) => (name, Some(port)),
        None => (placement.target.as_str(), None),
    };
    let Some(part) = parts.iter_mut().find(|part| part.name == name) else {
        if name == "scale" && port.is_none() {
            return wrong_kind(
                scope,
                placement,
                "`scale` stands for every scale vector",
                "give it a form, such as `scale : magnitude_direction`",
            );
        }
        // A part of an unknown kind was reported at its declaration.
        if !scope.draft.parts.iter().any(|declared| declared.name.text == name) {
            let finding = super::unknown_part(scope.draft, name, placement.span);
            scope.findings.push(finding);
        }
        return None;
    };
    let port = match (part.kind.ports, port) {
        (Ports::Named(ports), Some(port)) => match ports.iter().find(|known| **known == port) {
            Some(port) => Some(*port),
            None => return unknown_port(scope, part, port, ports, placement),
        },
        (Ports::Itself, None) => Some(""),
        (Ports::None, None) => None,
        (Ports::Named(ports), None) => {
            let what = format!("`{name}` has {} linear maps", ports.len());
            let help = format!("say which: `{name}.{{{}}} : …`", ports.join(", "));
            return wrong_kind(scope, placement, &what, &help);
        }
        (Ports::Itself | Ports::None, Some(port)) => return unknown_port(scope, part, port, &[], placement),
    };
    let place = match (placement.form.port, port) {
        (Some((Port::In, _)), Some(port)) => Place::In(port),
        (Some((Port::Out, _)), Some(port)) => Place::Out(port),
        (None, None) => Place::Own,
        (None, Some(_)) => {
            let target = &placement.target;
            let what = format!("`{target}` is a linear map, with a place before it and one after it");
            return wrong_kind(
                scope,
                placement,
                &what,
                &format!("write `{target} : in …` or `{target} : out …`"),
            );
        }
        (Some(_), None) => {
            let what = format!("`{name}` is a part of kind `{}`, not a linear map", part.kind.name);
            let help = format!("leave out `in` and `out`: `{name} : normalize + scale`");
            return wrong_kind(scope, placement, &what, &help);
        }
    };
    let path = part.scale_path(place);
    let had_bias = part.stages.get(&place).and_then(|stage| stage.bias);
    match stage(scope, part, place, placement)? {
        Placed::Nothing => {
            part.stages.remove(&place);
            Some((path, false))
        }
        Placed::Stage(mut stage, has_form) => {
            if stage.scale.is_some() {
                stage.bias = had_bias;
            }
            part.stages.insert(place, stage);
            Some((path, has_form))
        }
    }
}

enum Placed {
    Nothing,
    Stage(Stage, bool),
}

fn stage(scope: &mut Scope<'_>, part: &Part, place: Place, placement: &PlacementDraft<'_>) -> Option<Placed> {
    let terms = &placement.form.terms;
    if let [term] = terms.as_slice()
        && term.name.text == "none"
    {
        return match place {
            Place::In(_) | Place::Out(_) => Some(Placed::Nothing),
            Place::Own => {
                let help = format!(
                    "write `{} : normalize`, or leave `{}` out of the equations",
                    part.name, part.name
                );
                wrong_kind(
                    scope,
                    placement,
                    &format!("`{}` cannot be removed by a placement", part.name),
                    &help,
                )
            }
        };
    }
    let mut stage = Stage { normalize: None, scale: None, bias: None, span: placement.span };
    let mut has_form = false;
    for term in terms {
        match term.name.text.as_str() {
            "normalize" if stage.normalize.is_none() && stage.scale.is_none() => {
                stage.normalize = Some(normalize(scope, part, term)?);
            }
            "scale" if stage.scale.is_none() => {
                let (scale, said) = scale(scope, part, place, stage.normalize, term)?;
                stage.scale = Some(scale);
                has_form = said;
            }
            "normalize" | "scale" | "none" => {
                let what = "a place holds at most one `normalize`, then at most one `scale`";
                return wrong_kind(
                    scope,
                    placement,
                    what,
                    "write `normalize`, `scale`, `normalize + scale` or `none`",
                );
            }
            _ => {
                unknown_form(scope, term);
                return None;
            }
        }
    }
    match (part.kind.own, place, stage.normalize) {
        (Own::Norm(..), Place::Own, None) => {
            let what = format!("`{}` is a norm; `scale` alone would take its normalisation away", part.name);
            let help =
                format!("write `{} : normalize + scale`, or declare a part of kind `scale`", part.name);
            wrong_kind(scope, placement, &what, &help)
        }
        (Own::Scale, Place::Own, Some(_)) => {
            let what = format!("`{}` is a scale; it cannot normalize", part.name);
            wrong_kind(
                scope,
                placement,
                &what,
                "declare a norm, such as `rms_norm`, and use it in the equations",
            )
        }
        (Own::Nothing | Own::Norm(..) | Own::Scale, _, _) => Some(Placed::Stage(stage, has_form)),
    }
}

fn normalize(scope: &mut Scope<'_>, part: &Part, term: &Term) -> Option<StageNormalize> {
    let norm = match part.kind.own {
        Own::Norm(norm, _) => norm,
        Own::Nothing | Own::Scale => Norm::Rms,
    };
    let mut normalize = StageNormalize { norm, axis: Axis::Full, eps: part.number("eps").unwrap_or(1e-5) };
    for argument in &term.arguments {
        match setting::word(scope, "normalize(…)", argument, &["full", "head"])? {
            "head" => normalize.axis = Axis::Head,
            _ => normalize.axis = Axis::Full,
        }
    }
    for (name, span, expr) in body_settings(scope, term)? {
        if name == "eps" {
            normalize.eps = setting::real(scope, "eps", expr, Range::NotNegative)?;
        } else {
            unknown_setting(scope, "normalize", &name, span, "eps");
            return None;
        }
    }
    Some(normalize)
}

/// The scale vector of a term, and whether the term says its form.
fn scale(
    scope: &mut Scope<'_>,
    part: &Part,
    place: Place,
    beside: Option<StageNormalize>,
    term: &Term,
) -> Option<(StageScale, bool)> {
    let mut scale = StageScale { init: part.number("init").unwrap_or(1.0), ..unit_scale(part) };
    match place {
        Place::Own => {}
        Place::In(_) | Place::Out(_) => scale.extent = Extent::Full,
    }
    match beside.map(|normalize| normalize.axis) {
        Some(Axis::Head) => scale.extent = Extent::Head,
        Some(Axis::Full) | None => {}
    }
    let mut has_form = false;
    let words = [
        "full",
        "head",
        "per_head",
        "scalar",
        "input",
        "output",
        "direct",
        "one_plus",
        "magnitude_direction",
        "exp_magnitude_direction",
    ];
    for argument in &term.arguments {
        let word = setting::word(scope, "scale(…)", argument, &words)?;
        match word {
            "full" => scale.extent = Extent::Full,
            "head" => scale.extent = Extent::Head,
            "per_head" => scale.extent = Extent::PerHead,
            "scalar" => scale.extent = Extent::Scalar,
            "input" => scale.asserted = Some((Role::Input, argument.span)),
            "output" => scale.asserted = Some((Role::Output, argument.span)),
            _ => {
                if let Some((_, form)) = FORMS.into_iter().find(|(known, _)| *known == word) {
                    scale.form = form;
                    has_form = true;
                }
            }
        }
    }
    for (name, span, expr) in body_settings(scope, term)? {
        if name == "init" {
            scale.init = setting::real(scope, "init", expr, Range::Any)?;
        } else {
            unknown_setting(scope, "scale", &name, span, "init");
            return None;
        }
    }
    Some((scale, has_form))
}

type BodySettings<'t> = Vec<(String, Span, &'t svspec_syntax::ast::Expr)>;

fn body_settings<'t>(scope: &mut Scope<'_>, term: &'t Term) -> Option<BodySettings<'t>> {
    let mut settings = Vec::new();
    for statement in term.body.iter().flat_map(|body| &body.statements) {
        if let StatementKind::Setting { path, value } = &statement.kind
            && let Some((name, span)) = super::path::single(path)
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

/// Applies the placements that only change the form of vectors.
fn reform(
    scope: &mut Scope<'_>,
    parts: &mut [Part],
    reforms: &[(usize, &PlacementDraft<'_>, ScaleForm)],
    stated: &BTreeMap<String, usize>,
) {
    for (index, placement, form) in reforms {
        let mut matched = false;
        for part in parts.iter_mut() {
            let places: Vec<Place> = part.stages.keys().copied().collect();
            for place in places {
                let path = part.scale_path(place);
                let Some(scale) = part.stages.get_mut(&place).and_then(|stage| stage.scale.as_mut()) else {
                    continue;
                };
                if placement.target != "scale" && placement.target != path {
                    continue;
                }
                matched = true;
                if stated.get(&path).is_none_or(|said| said < index) {
                    scale.form = *form;
                }
            }
        }
        if !matched {
            matches_nothing(scope, parts, placement);
        }
    }
}

fn matches_nothing(scope: &mut Scope<'_>, parts: &[Part], placement: &PlacementDraft<'_>) {
    let vectors: Vec<String> = parts
        .iter()
        .flat_map(|part| {
            let scaled = part.stages.iter().filter(|(_, stage)| stage.scale.is_some());
            scaled.map(|(place, _)| part.scale_path(*place))
        })
        .collect();
    let name = &placement.target;
    let message = if name == "scale" {
        "the model has no scale vector whose form could change".to_owned()
    } else {
        format!("no scale vector is called `{name}`")
    };
    let mut finding =
        Diagnostic::error("placement-matches-nothing", message).at(placement.span, "matches nothing");
    // `attn_norm : one_plus` means the vector of `attn_norm`.
    let prefix = format!("{name}.");
    let own: Vec<&str> =
        vectors.iter().map(String::as_str).filter(|path| path.starts_with(&prefix)).collect();
    if let Some(first) = own.first() {
        finding = finding.help(format!("write `{first} : {}`", scope.quote(placement.form.span)));
    } else if let Some(close) = did_you_mean(name, vectors.iter().map(String::as_str)) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    let names: Vec<&str> = vectors.iter().map(String::as_str).collect();
    finding = if names.is_empty() {
        finding.help("place one first: `attn_norm : normalize + scale`")
    } else {
        finding.help(format!("scale vectors: {}", super::list(&names)))
    };
    scope.findings.push(finding);
}

/// An exponential cannot start at or below 0.
fn check_inits(scope: &mut Scope<'_>, parts: &[Part]) {
    for part in parts {
        for (place, stage) in &part.stages {
            if let Some(scale) = stage.scale
                && scale.form == ScaleForm::ExpMagnitudeDirection
                && scale.init <= 0.0
            {
                let path = part.scale_path(*place);
                scope.findings.push(
                    Diagnostic::error(
                        "out-of-range",
                        format!(
                            "`{path}` starts at {}, but an exponential is always greater than 0",
                            scale.init
                        ),
                    )
                    .at(stage.span, format!("`init` is {}", scale.init))
                    .help(format!(
                        "choose an `init` greater than 0, or another form: `{path} : magnitude_direction`"
                    )),
                );
            }
        }
    }
}

fn wrong_kind<T>(scope: &mut Scope<'_>, placement: &PlacementDraft<'_>, what: &str, help: &str) -> Option<T> {
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

fn unknown_port<T>(
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
        finding.help(format!("linear maps of `{}`: {}", part.kind.name, super::list(ports)))
    };
    scope.findings.push(finding);
    None
}

fn unknown_form(scope: &mut Scope<'_>, term: &Term) {
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
        "write `normalize`, `scale`, `normalize + scale` or `none`; or the form of a vector: `direct`, `one_plus`, \
         `magnitude_direction`, `exp_magnitude_direction`",
    ));
}

fn unknown_setting(scope: &mut Scope<'_>, term: &str, name: &str, span: Span, known: &str) {
    scope.findings.push(
        Diagnostic::error("unknown-setting", format!("`{term}` has no setting called `{name}`"))
            .at(span, "unknown")
            .help(format!("it has `{known}`")),
    );
}
