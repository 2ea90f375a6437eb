//! `layer-not-recomputed`: a layer that `recompute` counts, and that leaves the losses something, so that it keeps everything.

use crate::cost::kept_layer;
use crate::{CheckedModel, Node, Op};
use svspec_diagnostics::Diagnostic;

/// One warning at the choice of the first such layer.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let model = checked.model();
    let Some(region) = kept_layer(model) else { return Vec::new() };
    let is_choice = |node: &&Node| matches!(node.op, Op::Choose(_));
    let finding = region.nodes.iter().find(is_choice).map(|node| {
        let (name, count) = (&region.family, model.train.recompute);
        let message = format!(
            "`recompute` is {count}, but `{name}` is balanced by what its router leaves: it keeps all its activations"
        );
        Diagnostic::warning("layer-not-recomputed", message)
            .at(node.span, "what this chooses is left for a loss, or for the correction, once")
            .help("count the layers before it alone, or take the balancing away")
    });
    finding.into_iter().collect()
}
