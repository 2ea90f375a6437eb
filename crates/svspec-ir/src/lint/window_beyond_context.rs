//! `window-beyond-context`: a window that is longer than the sequences, so that it hides nothing.

use crate::print::paths;
use crate::{CheckedModel, Op, RegionId};
use svspec_diagnostics::{Diagnostic, Span};

/// One warning for each attention whose window hides nothing in any layer.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let model = checked.model();
    let context = model.context;
    let mut parts: Vec<(&str, Span, f64)> = Vec::new();
    for (index, region) in model.regions.iter().enumerate() {
        let layers = paths::layers_of(model, RegionId(index));
        for node in &region.nodes {
            let Op::Attention(attention) = &node.op else { continue };
            let Some(window) = &attention.window else { continue };
            let windows = layers.iter().map(|layer| window.at(Some(*layer)));
            let Some(least) = windows.min_by(f64::total_cmp) else { continue };
            match parts.iter_mut().find(|(part, ..)| *part == node.part) {
                // Another kind of layer with the same part.
                Some((.., known)) => *known = known.min(least),
                None => parts.push((&node.part, node.span, least)),
            }
        }
    }
    parts.retain(|(.., least)| *least > context as f64);
    let finding = |(part, span, least): &(&str, Span, f64)| {
        let message = format!("`{part}.window` is {least}, the context {context}: it hides no position");
        Diagnostic::warning("window-beyond-context", message)
            .at(*span, "sees all that is before a query")
            .help(format!("write a window below {context}, or `{part}.window = none`"))
    };
    parts.iter().map(finding).collect()
}
