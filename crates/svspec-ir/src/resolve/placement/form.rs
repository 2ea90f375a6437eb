//! Placements that say the form of vectors in; the vectors with the form that holds out.

use crate::ScaleForm;
use crate::resolve::draft::PlacementDraft;
use crate::resolve::list;
use crate::resolve::number::Scope;
use crate::resolve::resolved::{Part, Place};
use crate::resolve::uses::Use;
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, did_you_mean};

/// The forms that a scale vector can take, by the word that a placement uses.
pub const FORMS: [(&str, ScaleForm); 5] = [
    ("direct", ScaleForm::Direct),
    ("one_plus", ScaleForm::OnePlus),
    ("magnitude_direction", ScaleForm::MagnitudeDirection),
    ("exp_magnitude_direction", ScaleForm::ExpMagnitudeDirection),
    ("softplus", ScaleForm::Softplus),
];

/// Applies the placements that only change the form of vectors.
pub fn reform(
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
        finding.help(format!("scale vectors: {}", list(&names)))
    };
    scope.findings.push(finding);
}

/// What can only be positive cannot start at or below 0.
pub fn check_inits(scope: &mut Scope<'_>, parts: &[Part], uses: &[Use]) {
    for (part, used) in parts.iter().zip(uses) {
        for (place, stage) in &part.stages {
            let scale = stage.scale.as_ref().filter(|scale| scale.form.is_positive());
            let layers = match used {
                Use::Outside => vec![None],
                Use::Layers(layers) => layers.iter().copied().map(Some).collect(),
            };
            let mut inits =
                scale.into_iter().flat_map(|scale| layers.iter().map(|layer| scale.init.at(*layer)));
            if let Some(init) = inits.find(|init| *init <= 0.0) {
                let path = part.scale_path(*place);
                let is_softplus = scale.is_some_and(|scale| scale.form == ScaleForm::Softplus);
                let what = if is_softplus { "a softplus" } else { "an exponential" };
                scope.findings.push(
                    Diagnostic::error(
                        "out-of-range",
                        format!("`{path}` starts at {init}, but {what} is always greater than 0"),
                    )
                    .at(stage.span, format!("`init` is {init}"))
                    .help(format!(
                        "choose an `init` greater than 0, or another form: `{path} : magnitude_direction`"
                    )),
                );
            }
        }
    }
}
