//! What to change so that a scale vector folds: a model and a vector that stays in, changes that were tried on a copy of the
//! graph and let it fold out.

use crate::op::{Gain, Scale};
use crate::print::roles;
use crate::roles::absorption_of;
use crate::{Absorption, Model, Node, Op, Param, ParamId, ParamKind, PerLayer, RegionId, ScaleId, ValueId};

/// A change of the spec, and where the vector would go then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// The change, in words.
    pub change: String,
    /// "into the rows of attn.q.weight".
    pub folds: String,
}

/// The single changes that let `scale` fold. Each changes the function, which is for the author to decide.
pub(super) fn cures(model: &Model, scale: ScaleId) -> Vec<Cure> {
    let changes = without_normalisation(model, scale)
        .into_iter()
        .chain(without_biases(model, scale))
        .chain(with_a_head_of_its_own(model));
    changes
        .filter_map(|(change, edited)| match absorption_of(&edited, scale) {
            absorption @ (Absorption::IntoColumns(_) | Absorption::IntoRows(_)) => {
                Some(Cure { change, folds: roles::absorption(&edited, &absorption) })
            }
            Absorption::None(_) => None,
        })
        .collect()
}

/// Without the normalisation that it follows, where nothing else reads that.
fn without_normalisation(model: &Model, scale: ScaleId) -> Option<(String, Model)> {
    let mut edited = model.clone();
    let mut num_removed = 0;
    for region in &mut edited.regions {
        let applied = |node: &Node| matches!(&node.op, Op::Scale(Scale { scale: of }) if *of == scale);
        let inputs: Vec<ValueId> =
            region.nodes.iter().filter(|node| applied(node)).flat_map(|node| node.inputs.clone()).collect();
        for input in inputs {
            let num_readers = region.nodes.iter().filter(|node| node.inputs.contains(&input)).count();
            let is_output = region.hands_on(input);
            let Some(node) = region.nodes.get_mut(input.0) else { continue };
            if matches!(node.op, Op::Normalize(_)) && num_readers == 1 && !is_output {
                node.op = nothing();
                num_removed += 1;
            }
        }
    }
    (num_removed > 0).then(|| ("without the normalisation before it".to_owned(), edited))
}

/// Without one of the biases beside it.
fn without_biases(model: &Model, scale: ScaleId) -> Vec<(String, Model)> {
    let Some(vector) = model.scales.get(scale.0) else { return Vec::new() };
    let mut changes = Vec::new();
    for (index, param) in model.params.iter().enumerate() {
        if param.kind != ParamKind::Bias || param.region != vector.region {
            continue;
        }
        let mut edited = model.clone();
        for node in edited.regions.iter_mut().flat_map(|region| &mut region.nodes) {
            if matches!(&node.op, Op::Bias(bias) if bias.param == ParamId(index)) {
                node.op = nothing();
            }
        }
        changes.push((format!("without `{}`", param.path), edited));
    }
    changes
}

/// With linear maps of their own where the embedding's table is used as one.
fn with_a_head_of_its_own(model: &Model) -> Option<(String, Model)> {
    let mut edited = model.clone();
    let first_new = edited.params.len();
    for (region, body) in edited.regions.iter_mut().enumerate() {
        for node in &mut body.nodes {
            let Op::Linear(linear) = &mut node.op else { continue };
            for projection in &mut linear.projections {
                let Some(table) = model.params.get(projection.weight.0) else { continue };
                if table.kind == ParamKind::Embedding {
                    projection.weight = ParamId(edited.params.len());
                    edited.params.push(untied(table, RegionId(region)));
                }
            }
        }
    }
    (edited.params.len() > first_new)
        .then(|| ("with a head of its own, `tie_embeddings = off`".to_owned(), edited))
}

fn untied(table: &Param, region: RegionId) -> Param {
    Param {
        path: "unembed.weight".to_owned(),
        region,
        kind: ParamKind::Weight,
        num_out_dims: 1,
        ..table.clone()
    }
}

/// What stands for an op that is taken away, so that no value is renumbered.
fn nothing() -> Op {
    Op::Gain(Gain { factor: PerLayer::Uniform(1.0) })
}
