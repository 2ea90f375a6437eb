//! `loss-not-chunked`: a `loss_chunk` under a head that looks beyond its own token, so that it cannot be followed.

use crate::cost::mixing_node;
use crate::{CheckedModel, LossChunk};
use svspec_diagnostics::Diagnostic;

/// One warning at the first op of the head that mixes tokens.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let model = checked.model();
    let LossChunk::Tokens(chunk) = model.train.loss_chunk else { return Vec::new() };
    let finding = mixing_node(model).map(|node| {
        let message =
            format!("`loss_chunk` is {chunk}, but the head looks at several tokens at once: it stays whole");
        Diagnostic::warning("loss-not-chunked", message)
            .at(node.span, "a token's logits depend on more than that token from here on")
            .help("write it as a layer of its own before the head, or `loss_chunk = off`")
    });
    finding.into_iter().collect()
}
