//! Placements, in order, in; parts with what stands at each port out.

mod fault;
mod form;
mod term;

pub use form::FORMS;

use super::draft::PlacementDraft;
use super::number::Scope;
use super::resolved::{Part, Place, Stage};
use super::uses::Use;
use crate::lower::part::{Own, Ports};
use fault::{not_one_place, unknown_form, unknown_port, wrong_kind};
use form::{check_inits, reform};
use std::collections::BTreeMap;
use svspec_syntax::ast::Port;
use term::{bias, normalize, scale};

/// The words of a form's terms.
const TERMS: [&str; 10] = [
    "normalize",
    "layer_normalize",
    "scale",
    "bias",
    "none",
    "direct",
    "one_plus",
    "magnitude_direction",
    "exp_magnitude_direction",
    "softplus",
];

/// Applies the placements to the parts, each of which is used where `uses` says.
pub fn place(scope: &mut Scope<'_>, parts: &mut [Part], uses: &[Use]) {
    let draft = scope.draft;
    let mut stated: BTreeMap<String, usize> = BTreeMap::new();
    let mut reforms = Vec::new();
    for (index, placement) in draft.placements.iter().enumerate() {
        if placement.form.port.is_none()
            && let [term] = placement.form.terms.as_slice()
            && let Some((_, form)) = FORMS.into_iter().find(|(word, _)| *word == term.name.text)
        {
            reforms.push((index, placement, form));
        } else if let Some((path, has_form)) = place_one(scope, parts, uses, placement) {
            if has_form {
                stated.insert(path, index);
            } else {
                stated.remove(&path);
            }
        }
    }
    reform(scope, parts, &reforms, &stated);
    check_inits(scope, parts, uses);
}

/// Applies one placement that names a part or a port. Returns the path of the vector there, and whether its form is said.
fn place_one(
    scope: &mut Scope<'_>,
    parts: &mut [Part],
    uses: &[Use],
    placement: &PlacementDraft<'_>,
) -> Option<(String, bool)> {
    // A misspelt form of a vector, rather than a misspelt port.
    if let (None, [term]) = (placement.form.port, placement.form.terms.as_slice())
        && !TERMS.contains(&term.name.text.as_str())
    {
        unknown_form(scope, term);
        return None;
    }
    let target = placement.target.as_str();
    let (name, port) = match (parts.iter().any(|part| part.name == target), target.rsplit_once('.')) {
        (false, Some((name, port))) => (name, Some(port)),
        (true, _) | (false, None) => (target, None),
    };
    let found = parts.iter_mut().zip(uses).find(|(part, _)| part.name == name);
    let Some((part, used)) = found else {
        if name == "scale" && port.is_none() {
            return wrong_kind(
                scope,
                placement,
                "`scale` stands for every scale vector",
                "give it a form, such as `scale : magnitude_direction`",
            );
        }
        if let Some((composite, made)) = scope.draft.composite_of(target) {
            return not_one_place(scope, placement, composite, made);
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
    match stage(scope, (part, used), place, placement)? {
        Placed::Nothing => {
            part.stages.remove(&place);
            Some((path, false))
        }
        Placed::Stage(mut stage, has_form) => {
            // A placement on a LayerNorm speaks of its vector; its `bias` setting speaks of its bias.
            if place == Place::Own && stage.scale.is_some() {
                stage.bias = stage.bias.or(had_bias);
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

fn stage(
    scope: &mut Scope<'_>,
    (part, used): (&Part, &Use),
    place: Place,
    placement: &PlacementDraft<'_>,
) -> Option<Placed> {
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
            "normalize" | "layer_normalize"
                if stage.normalize.is_none() && stage.scale.is_none() && stage.bias.is_none() =>
            {
                stage.normalize = Some(normalize(scope, (part, used), term)?);
            }
            "bias" if stage.bias.is_none() => stage.bias = Some(bias(scope, term)?),
            "scale" if stage.scale.is_none() && stage.bias.is_none() => {
                let (scale, said) = scale(scope, (part, used), place, stage.normalize.as_ref(), term)?;
                stage.scale = Some(scale);
                has_form = said;
            }
            "normalize" | "layer_normalize" | "scale" | "bias" | "none" => {
                let what = "a place holds at most one `normalize`, then at most one `scale`, then at most one `bias`";
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
    match (part.kind.own, place, &stage.normalize) {
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
