//! Scale vectors that came, went or changed: role, size, form, decay; and whether their values survive.

use super::Class;
use super::mapping::{self, Fate};
use crate::migrate::Plan;
use crate::param::ScalePart;
use crate::print::number::shortest;
use crate::print::paths;
use crate::scale::{ScaleForm, Site};
use crate::{Absorption, CheckedModel, Role, ScaleId};
use serde::Serialize;

/// Scale vectors that changed alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScaleChange {
    /// Their paths: `attn.{q, k, v}.in_scale`.
    pub paths: String,
    /// The region's name.
    pub region: String,
    /// What they were; `None`: they came.
    pub before: Option<ScaleSummary>,
    /// What they are; `None`: they went.
    pub after: Option<ScaleSummary>,
    /// What it means for a checkpoint.
    pub class: Class,
    /// Where the old value goes, or why it is lost; of a vector that came, why that is no loss.
    pub reason: String,
}

/// A scale vector in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScaleSummary {
    /// γ's sizes.
    pub shape: Vec<usize>,
    /// How many layers have it; 0 outside the stack.
    pub num_layers: usize,
    /// Where it was placed.
    pub site: Site,
    /// How γ is computed.
    pub form: ScaleForm,
    /// Its proved role.
    pub role: Role,
    /// Whether it folds into neighbouring weights.
    pub absorbable: bool,
    /// Its decay; by part, or layer, where they differ.
    pub decay: String,
}

/// The scale vectors that differ. A vector that only moved to another group is not here but among the groups.
pub(super) fn changes(old: &CheckedModel, new: &CheckedModel, map: Option<&Plan>) -> Vec<ScaleChange> {
    let mut found: Vec<(ScaleChange, Vec<String>)> = Vec::new();
    for (index, scale) in old.model().scales.iter().enumerate() {
        let after = mapping::counterpart(old.model(), scale, new.model());
        let before = summary(old, ScaleId(index));
        let after = after.and_then(|(id, _)| summary(new, id));
        if before.as_ref().zip(after.as_ref()).is_some_and(|(before, after)| before.is_like(after)) {
            continue;
        }
        let (class, reason) = match mapping::fate(old, new, ScaleId(index), map) {
            Fate::Borne(how) => (Class::FunctionPreserving, how),
            Fate::Lost(why) => (Class::Breaking, why),
        };
        add(
            &mut found,
            old,
            ScaleId(index),
            ScaleChange { paths: String::new(), region: String::new(), before, after, class, reason },
        );
    }
    for (index, scale) in new.model().scales.iter().enumerate() {
        if mapping::counterpart(new.model(), scale, old.model()).is_some() {
            continue;
        }
        let change = ScaleChange {
            paths: String::new(),
            region: String::new(),
            before: None,
            after: summary(new, ScaleId(index)),
            class: Class::FunctionPreserving,
            reason: "γ = 1 changes nothing".to_owned(),
        };
        add(&mut found, new, ScaleId(index), change);
    }
    found
        .into_iter()
        .map(|(change, members)| {
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            ScaleChange { paths: paths::joined(&members).join(", "), ..change }
        })
        .collect()
}

fn add(
    found: &mut Vec<(ScaleChange, Vec<String>)>,
    checked: &CheckedModel,
    id: ScaleId,
    change: ScaleChange,
) {
    let Some(scale) = checked.model().scales.get(id.0) else { return };
    let region = paths::family(checked.model(), scale.region).to_owned();
    let change = ScaleChange { region, ..change };
    match found.iter_mut().find(|(known, _)| known.is_alike(&change)) {
        // The same vector of another kind of layer.
        Some((known, paths)) if paths.contains(&scale.path) => known.add_layers(&change),
        Some((known, paths)) if *known == change => paths.push(scale.path.clone()),
        Some(_) | None => found.push((change, vec![scale.path.clone()])),
    }
}

impl ScaleChange {
    /// Whether the other is the same, in other layers perhaps.
    fn is_alike(&self, other: &Self) -> bool {
        let without_layers = |change: &Self| {
            let mut change = change.clone();
            let sides = [&mut change.before, &mut change.after];
            sides.into_iter().flatten().for_each(|summary| summary.num_layers = 0);
            change
        };
        without_layers(self) == without_layers(other)
    }

    fn add_layers(&mut self, other: &Self) {
        let sides = [(&mut self.before, &other.before), (&mut self.after, &other.after)];
        for (own, other) in sides {
            if let (Some(own), Some(other)) = (own, other) {
                own.num_layers += other.num_layers;
            }
        }
    }
}

impl ScaleSummary {
    /// Whether the same vector is meant; depth and decay are told elsewhere.
    fn is_like(&self, other: &Self) -> bool {
        let of_other = Self { num_layers: self.num_layers, decay: self.decay.clone(), ..other.clone() };
        *self == of_other
    }
}

fn summary(checked: &CheckedModel, id: ScaleId) -> Option<ScaleSummary> {
    let model = checked.model();
    let scale = model.scales.get(id.0)?;
    let facts = checked.facts().iter().find(|facts| facts.scale == id)?;
    Some(ScaleSummary {
        shape: scale.dims.iter().map(|dim| dim.size).collect(),
        num_layers: paths::layers_of(model, scale.region).len(),
        site: scale.site,
        form: scale.form,
        role: facts.role,
        absorbable: match facts.absorption {
            Absorption::IntoColumns(_) | Absorption::IntoRows(_) => true,
            Absorption::None(_) => false,
        },
        decay: decay(checked, id),
    })
}

/// `0.1`; `magnitude 0.1, direction 0`; `0.1 or 0` where layers differ.
fn decay(checked: &CheckedModel, id: ScaleId) -> String {
    let params = checked.model().scales.get(id.0).map_or(&[][..], |scale| &scale.params);
    let of_param = |param: &crate::ParamId| {
        let own = checked.assignments().iter().filter(|assignment| assignment.instance.param == *param);
        let mut values: Vec<String> = own.map(|assignment| shortest(assignment.decay)).collect();
        values.dedup();
        values.join(" or ")
    };
    let values: Vec<String> = params.iter().map(of_param).collect();
    if let Some((first, rest)) = values.split_first()
        && rest.iter().all(|value| value == first)
    {
        return first.clone();
    }
    let parts = params.iter().zip(&values).map(|(param, value)| {
        let part = checked.model().params.get(param.0).and_then(|param| param.scale_part);
        let word = match part {
            Some(ScalePart::Magnitude) => "magnitude ",
            Some(ScalePart::Direction) => "direction ",
            Some(ScalePart::Whole) | None => "",
        };
        format!("{word}{value}")
    });
    parts.collect::<Vec<_>>().join(", ")
}
