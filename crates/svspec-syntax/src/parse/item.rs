//! A parsed block to its item.
#![expect(clippy::wildcard_enum_match_arm, reason = "the grammar says which of its rules can occur here")]

use super::comments::Comments;
use super::grammar::Rule;
use super::statement::{body, optimizer};
use super::token::{Place, child, children, only, required};
use crate::ast::{Item, ItemKind, PartDefinition};
use pest::iterators::Pair;
use svspec_diagnostics::{Diagnostic, Span};

/// The item that `pair`, an `item`, states.
pub fn item(
    pair: Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Item {
    let block = required(&mut pair.into_inner());
    let range = place.range(&block);
    let (mut trivia, kind) = comments.around(range, |comments| kind(&block, place, comments, faults));
    // The formatter parts blocks by a blank line of its own.
    if trivia.leading.first() == Some(&None) {
        trivia.leading.remove(0);
    }
    Item { trivia, kind, span: place.span(&block) }
}

fn kind(
    block: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> ItemKind {
    match block.as_rule() {
        Rule::import => {
            let quoted = place.span(&only(block, Rule::string));
            let path_span = Span { start: quoted.start + 1, end: quoted.end - 1, ..quoted };
            let path = only(block, Rule::string).as_str().trim_matches('"').to_owned();
            ItemKind::Import { path, path_span }
        }
        Rule::part_kind => ItemKind::Part(PartDefinition {
            name: place.ident(&only(block, Rule::ident)),
            inputs: children(&only(block, Rule::inputs), Rule::ident)
                .map(|ident| place.ident(&ident))
                .collect(),
            body: body(&only(block, Rule::body), place, comments, faults),
        }),
        Rule::model => ItemKind::Model {
            name: place.ident(&only(block, Rule::ident)),
            body: body(&only(block, Rule::body), place, comments, faults),
        },
        Rule::variant => {
            let mut idents = children(block, Rule::ident).map(|ident| place.ident(&ident));
            let name = idents.next().expect("a variant has a name");
            let base = idents.next().expect("a variant has a base");
            let with = child(block, Rule::with)
                .map(|with| children(&with, Rule::ident).map(|ident| place.ident(&ident)).collect())
                .unwrap_or_default();
            ItemKind::Variant {
                name,
                base,
                with,
                body: body(&only(block, Rule::body), place, comments, faults),
            }
        }
        Rule::optimizer => ItemKind::Optimizer(optimizer(block, place, comments, faults)),
        Rule::train => ItemKind::Train(body(&only(block, Rule::body), place, comments, faults)),
        other => unreachable!("the grammar makes no item of {other:?}"),
    }
}
