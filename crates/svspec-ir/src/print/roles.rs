//! What is proved of each scale vector, with the steps that prove it.

use super::{FORMAT_VERSION, ir, paths};
use crate::scale::{ScaleForm, Site};
use crate::{Absorption, CheckedModel, Model, ParamKind, Role, ScaleFacts};
use serde::Serialize;

/// The roles of a model's scale vectors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RolesView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// In the model's order.
    pub scales: Vec<RoleView>,
}

/// One scale vector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleView {
    /// Its path.
    pub path: String,
    /// The layers, from 0; empty outside the stack.
    pub layers: Vec<usize>,
    /// Where it was placed.
    pub site: Site,
    /// How γ is computed.
    pub form: ScaleForm,
    /// γ's sizes.
    pub shape: Vec<usize>,
    /// Its role.
    pub role: Role,
    /// Why.
    pub role_proof: Vec<String>,
    /// Whether it folds into neighbouring weights.
    pub absorbable: bool,
    /// Into which, or why not.
    pub absorption: String,
    /// Why.
    pub absorption_proof: Vec<String>,
}

/// The roles of `checked` as data.
pub fn view(checked: &CheckedModel) -> RolesView {
    let model = checked.model();
    let views = checked.facts().iter().filter_map(|facts| role_view(model, facts));
    let scales = paths::over_layers(views, |view| &mut view.layers);
    RolesView { format_version: FORMAT_VERSION, model: model.name.clone(), scales }
}

fn role_view(model: &Model, facts: &ScaleFacts) -> Option<RoleView> {
    let scale = model.scales.get(facts.scale.0)?;
    Some(RoleView {
        path: scale.path.clone(),
        layers: paths::layers_of(model, scale.region),
        site: scale.site,
        form: scale.form,
        shape: scale.dims.iter().map(|dim| dim.size).collect(),
        role: facts.role,
        role_proof: facts.role_proof.steps.clone(),
        absorbable: match facts.absorption {
            Absorption::IntoColumns(_) | Absorption::IntoRows(_) => true,
            Absorption::None(_) => false,
        },
        absorption: absorption(model, &facts.absorption),
        absorption_proof: facts.absorption_proof.steps.clone(),
    })
}

/// "into the columns of attn.{q, k, v}.weight", or "no: …".
pub fn absorption(model: &Model, absorption: &Absorption) -> String {
    let weights = |folds: &[crate::role::Fold]| {
        let params = folds.iter().filter_map(|fold| model.params.get(fold.weight.0));
        let names: Vec<&str> = params.map(|param| param.path.as_str()).collect();
        paths::joined(&names).join(", ")
    };
    // A table of embeddings has a row for each token, so what it gives the model are its columns.
    let is_table = |fold: &crate::role::Fold| {
        model.params.get(fold.weight.0).is_some_and(|param| param.kind == ParamKind::Embedding)
    };
    match absorption {
        Absorption::IntoColumns(folds) => format!("into the columns of {}", weights(folds)),
        Absorption::IntoRows(folds) if folds.iter().any(is_table) => {
            format!("into the columns of {}", weights(folds))
        }
        Absorption::IntoRows(folds) => format!("into the rows of {}", weights(folds)),
        Absorption::None(reason) => format!("no: {reason}"),
    }
}

/// The role's name in the language.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Input => "input",
        Role::Output => "output",
    }
}

/// The roles of `checked` as text.
pub fn roles(checked: &CheckedModel) -> String {
    let view = view(checked);
    if view.scales.is_empty() {
        return "no scale vectors\n".to_owned();
    }
    let mut text = String::new();
    for scale in &view.scales {
        if !text.is_empty() {
            text.push('\n');
        }
        let shape: Vec<String> = scale.shape.iter().map(ToString::to_string).collect();
        let layers = match scale.layers.as_slice() {
            [] => String::new(),
            layers => format!("  layers {}", paths::ranges(layers)),
        };
        text.push_str(&format!(
            "{}  [{}]  {}  {}{layers}\n",
            scale.path,
            shape.join(", "),
            ir::site(scale.site),
            ir::form(scale.form)
        ));
        text.push_str(&format!("  role {}\n", role(scale.role)));
        text.extend(scale.role_proof.iter().map(|step| format!("    {step}\n")));
        let folds =
            if scale.absorbable { format!("folds {}", scale.absorption) } else { "does not fold".to_owned() };
        text.push_str(&format!("  {folds}\n"));
        text.extend(scale.absorption_proof.iter().map(|step| format!("    {step}\n")));
    }
    text
}
