//! What becomes of each scale vector when a model is folded, and what would let those that stay fold.

use super::{FORMAT_VERSION, paths, roles};
use crate::fold::{Outcome, Planned};
use crate::{CheckedModel, Model, ScaleForm};
use serde::Serialize;

/// The folding of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// How many scale vectors fold, layers counted once.
    pub num_folding: usize,
    /// In the model's order.
    pub scales: Vec<FoldedView>,
}

/// One scale vector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldedView {
    /// Its path.
    pub path: String,
    /// The layers, from 0; empty outside the stack.
    pub layers: Vec<usize>,
    /// How γ is computed before it is folded.
    pub form: ScaleForm,
    /// "into the columns of attn.{q, k, v}.weight"; `None` if it stays.
    pub folds: Option<String>,
    /// Why it stays.
    pub reason: Option<String>,
    /// What would let it fold.
    pub cures: Vec<CureView>,
}

/// A change after which a vector folds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CureView {
    /// The change, in words.
    pub change: String,
    /// "into the rows of attn.q.weight".
    pub folds: String,
}

/// The folding of `checked` as data.
pub fn view(checked: &CheckedModel) -> FoldView {
    let model = checked.model();
    let plan = crate::fold::plan(checked);
    let views = plan.iter().filter_map(|planned| folded_view(model, planned));
    let scales = paths::over_layers(views, |view| &mut view.layers);
    let num_folding = scales.iter().filter(|scale| scale.folds.is_some()).count();
    FoldView { format_version: FORMAT_VERSION, model: model.name.clone(), num_folding, scales }
}

fn folded_view(model: &Model, planned: &Planned) -> Option<FoldedView> {
    let scale = model.scales.get(planned.scale.0)?;
    let (folds, reason, cures) = match &planned.outcome {
        Outcome::Folds(absorption) => (Some(roles::absorption(model, absorption)), None, Vec::new()),
        Outcome::Stays { reason, cures } => {
            let view = |cure: &crate::fold::Cure| CureView {
                change: cure.change.clone(),
                folds: cure.folds.clone(),
            };
            (None, Some(reason.clone()), cures.iter().map(view).collect())
        }
    };
    Some(FoldedView {
        path: scale.path.clone(),
        layers: paths::layers_of(model, scale.region),
        form: scale.form,
        folds,
        reason,
        cures,
    })
}

impl FoldView {
    /// The same for reading.
    pub fn text(&self) -> String {
        let (num_folding, num_all) = (self.num_folding, self.scales.len());
        let mut text = match (num_all, num_all - num_folding) {
            (0, _) => return format!("{} has no scale vectors\n", self.model),
            (_, 0) => format!("{}: all {num_all} scale vectors fold into weights\n", self.model),
            (_, num_staying) => {
                format!(
                    "{}: {num_folding} of {num_all} scale vectors fold into weights, {num_staying} {}\n",
                    self.model,
                    if num_staying == 1 { "stays" } else { "stay" }
                )
            }
        };
        for scale in &self.scales {
            let layers = match scale.layers.as_slice() {
                [] => String::new(),
                layers => format!("  layers {}", paths::ranges(layers)),
            };
            text.push_str(&format!("\n{}{layers}\n", scale.path));
            let first = match scale.form {
                ScaleForm::Direct => "",
                ScaleForm::OnePlus
                | ScaleForm::MagnitudeDirection
                | ScaleForm::ExpMagnitudeDirection
                | ScaleForm::Softplus => ", γ computed first",
            };
            if let Some(folds) = &scale.folds {
                text.push_str(&format!("  folds {folds}{first}\n"));
            }
            if let Some(reason) = &scale.reason {
                text.push_str("  stays\n");
                text.extend(reason.split("; ").map(|reason| format!("    {reason}\n")));
            }
            for cure in &scale.cures {
                text.push_str(&format!("  {}, it would fold {}\n", cure.change, cure.folds));
            }
        }
        text
    }
}
