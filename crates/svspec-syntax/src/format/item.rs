//! A top-level block to its lines.

use super::{body, flat};
use crate::ast::{Item, ItemKind};

/// Writes `item`, its comments before it.
pub fn write(out: &mut String, item: &Item) {
    body::write_comments(out, &item.trivia, 0);
    let trailing = item.trivia.trailing.as_deref();
    let (head, inner) = match &item.kind {
        ItemKind::Import { path, path_span: _ } => {
            body::write_with_trailing(out, &format!("import \"{path}\""), trailing, 0);
            out.push('\n');
            return;
        }
        ItemKind::Part(definition) => {
            let inputs = flat::list(&definition.inputs, flat::word);
            (format!("part {}({inputs})", definition.name.text), &definition.body)
        }
        ItemKind::Model { name, body } => (format!("model {}", name.text), body),
        ItemKind::Variant { name, base, with, body } => {
            let with = match with.as_slice() {
                [] => String::new(),
                with => format!(" with {}", flat::list(with, flat::word)),
            };
            (format!("variant {} of {}{with}", name.text, base.text), body)
        }
        ItemKind::Optimizer(block) => (flat::optimizer_head(block.algorithm.as_ref()), &block.body),
        ItemKind::Train(body) => ("train".to_owned(), body),
    };
    let text = format!("{head} {}", body::block(inner, 0));
    body::write_with_trailing(out, &text, trailing, 0);
    out.push('\n');
}
