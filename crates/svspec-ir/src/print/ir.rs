//! The graph, one line a node, in static single assignment form.

use super::number::shortest;
use super::table::{Align, table};
use super::{FORMAT_VERSION, op, paths};
use crate::scale::{ScaleForm, Site};
use crate::{Dims, Model, RegionId};
use serde::Serialize;

/// The graph of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IrView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// In the model's order.
    pub regions: Vec<RegionView>,
    /// One row a template.
    pub scales: Vec<ScaleView>,
    /// One row a template.
    pub params: Vec<ParamView>,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegionView {
    /// Its name.
    pub name: String,
    /// The layers of the stack, from 0, that are of this kind; empty outside the stack.
    pub layers: Vec<usize>,
    /// Its nodes.
    pub nodes: Vec<NodeView>,
    /// The name of the value it hands on.
    pub output: String,
    /// The names of the values that it leaves for the loss region.
    pub side: Vec<String>,
    /// What is minimised beside its output.
    pub losses: Vec<LossView>,
}

/// A loss beside the cross-entropy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LossView {
    /// Its name in logs.
    pub name: String,
    /// The name of its value.
    pub value: String,
    /// What it counts.
    pub coefficient: f64,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeView {
    /// The result's name.
    pub name: String,
    /// The op with what it applies: `normalize[rms over width, eps 1e-5]`.
    pub op: String,
    /// The names of the inputs.
    pub inputs: Vec<String>,
    /// The result's dimensions after batch and time.
    pub dims: Dims,
    /// The part it belongs to.
    pub part: String,
}

/// A scale vector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleView {
    /// Its path.
    pub path: String,
    /// Its region's name.
    pub region: String,
    /// Where it was placed.
    pub site: Site,
    /// How γ is computed.
    pub form: ScaleForm,
    /// γ's dimensions.
    pub dims: Dims,
    /// The paths of its parameters.
    pub params: Vec<String>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParamView {
    /// Its path.
    pub path: String,
    /// Its region's name.
    pub region: String,
    /// Its dimensions.
    pub dims: Dims,
}

/// The graph of `model` as data.
pub fn view(model: &Model) -> IrView {
    let region_name =
        |id: RegionId| model.regions.get(id.0).map_or_else(String::new, |region| region.name.clone());
    let path =
        |id: &crate::ParamId| model.params.get(id.0).map_or_else(String::new, |param| param.path.clone());
    let regions = model.regions.iter().enumerate().map(|(index, region)| {
        let layers = paths::layers_of(model, RegionId(index));
        let value_name =
            |id: &crate::ValueId| region.nodes.get(id.0).map_or_else(String::new, |node| node.name.clone());
        let nodes = region.nodes.iter().map(|node| NodeView {
            name: node.name.clone(),
            op: op::head(model, &node.op, &node.dims, &layers),
            inputs: node.inputs.iter().map(value_name).collect(),
            dims: node.dims.clone(),
            part: node.part.clone(),
        });
        let losses = region.losses.iter().map(|loss| LossView {
            name: loss.name.clone(),
            value: value_name(&loss.value),
            coefficient: loss.coefficient,
        });
        let nodes = nodes.collect();
        RegionView {
            name: region.name.clone(),
            layers,
            nodes,
            output: value_name(&region.output),
            side: region.side.iter().map(|side| value_name(&side.value)).collect(),
            losses: losses.collect(),
        }
    });
    let scales = model.scales.iter().map(|scale| ScaleView {
        path: scale.path.clone(),
        region: region_name(scale.region),
        site: scale.site,
        form: scale.form,
        dims: scale.dims.clone(),
        params: scale.params.iter().map(path).collect(),
    });
    let params = model.params.iter().map(|param| ParamView {
        path: param.path.clone(),
        region: region_name(param.region),
        dims: param.dims.clone(),
    });
    IrView {
        format_version: FORMAT_VERSION,
        model: model.name.clone(),
        regions: regions.collect(),
        scales: scales.collect(),
        params: params.collect(),
    }
}

/// The graph of `model` as text.
pub fn ir(model: &Model) -> String {
    let view = view(model);
    let mut text = String::new();
    for region in &view.regions {
        text.push_str(&region.name);
        if !region.layers.is_empty() {
            let noun = if region.layers.len() == 1 { "layer" } else { "layers" };
            text.push_str(&format!("  ({noun} {})", paths::ranges(&region.layers)));
        }
        text.push('\n');
        let rows: Vec<Vec<String>> = region.nodes.iter().map(node_row).collect();
        text.push_str(&table("  ", &[Align::Left; 3], &rows));
        text.push_str(&format!("  -> {}\n", region.output));
        if !region.side.is_empty() {
            text.push_str(&format!("  for the losses: {}\n", region.side.join(", ")));
        }
        for loss in &region.losses {
            text.push_str(&format!("  + {} {}\n", shortest(loss.coefficient), loss.value));
        }
        text.push('\n');
    }
    if !view.scales.is_empty() {
        text.push_str("scale vectors\n");
        let rows: Vec<Vec<String>> = view.scales.iter().map(scale_row).collect();
        text.push_str(&table("  ", &[Align::Left; 5], &rows));
        text.push('\n');
    }
    text.push_str("parameters\n");
    let rows: Vec<Vec<String>> = view
        .params
        .iter()
        .map(|param| vec![param.path.clone(), param.region.clone(), paths::dims(&param.dims)])
        .collect();
    text.push_str(&table("  ", &[Align::Left; 3], &rows));
    text
}

fn node_row(node: &NodeView) -> Vec<String> {
    let call = if node.inputs.is_empty() {
        node.op.clone()
    } else {
        format!("{}({})", node.op, node.inputs.join(", "))
    };
    let dims = if node.dims.is_empty() { String::new() } else { format!(": {}", paths::dims(&node.dims)) };
    vec![node.name.clone(), format!("= {call}"), dims]
}

fn scale_row(scale: &ScaleView) -> Vec<String> {
    let params =
        if scale.params.len() == 1 { String::new() } else { format!("from {}", scale.params.join(", ")) };
    let dims = paths::dims(&scale.dims);
    vec![
        scale.path.clone(),
        scale.region.clone(),
        site(scale.site).to_owned(),
        form(scale.form).to_owned(),
        dims,
        params,
    ]
}

/// The site's name in the language.
pub fn site(site: Site) -> &'static str {
    match site {
        Site::Norm => "norm",
        Site::LinearInput => "linear_input",
        Site::LinearOutput => "linear_output",
        Site::QkHead => "qk_head",
        Site::Residual => "residual",
    }
}

/// The form's name in the language.
pub fn form(form: ScaleForm) -> &'static str {
    match form {
        ScaleForm::Direct => "direct",
        ScaleForm::OnePlus => "one_plus",
        ScaleForm::MagnitudeDirection => "magnitude_direction",
        ScaleForm::ExpMagnitudeDirection => "exp_magnitude_direction",
        ScaleForm::Softplus => "softplus",
    }
}
