//! `window-beyond-context`: a window, or a chunk, that is longer than the sequences, so that it hides nothing.

use crate::print::paths;
use crate::{CheckedModel, Op, RegionId};
use svspec_diagnostics::{Diagnostic, Span};

/// One warning for each attention whose window or chunk hides nothing in any layer.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let model = checked.model();
    let context = model.context;
    let mut parts: Vec<(&str, &str, Span, f64)> = Vec::new();
    for (index, region) in model.regions.iter().enumerate() {
        let layers = paths::layers_of(model, RegionId(index));
        for node in &region.nodes {
            let Op::Attention(attention) = &node.op else { continue };
            for (setting, length) in [("window", &attention.window), ("chunk", &attention.chunk)] {
                let Some(length) = length else { continue };
                let lengths = layers.iter().map(|layer| length.at(Some(*layer)));
                let Some(least) = lengths.min_by(f64::total_cmp) else { continue };
                match parts.iter_mut().find(|(part, known, ..)| *part == node.part && *known == setting) {
                    // Another kind of layer with the same part.
                    Some((.., known)) => *known = known.min(least),
                    None => parts.push((&node.part, setting, node.span, least)),
                }
            }
        }
    }
    parts.retain(|(.., least)| *least > context as f64);
    let finding = |(part, setting, span, least): &(&str, &str, Span, f64)| {
        let message = format!("`{part}.{setting}` is {least}, the context {context}: it hides no position");
        Diagnostic::warning("window-beyond-context", message)
            .at(*span, "sees all that is before a query")
            .help(format!("write a {setting} below {context}, or `{part}.{setting} = none`"))
    };
    parts.iter().map(finding).collect()
}
