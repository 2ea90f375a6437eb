//! Dotted paths: `attn.{q, k}` in; `attn.q` and `attn.k` with their places out.

use svspec_diagnostics::Span;
use svspec_syntax::ast::{Ident, Path};

/// More names than this in one path are cut; a path of one list stays far below.
const MOST_NAMES: usize = 1024;

/// Every name that a path stands for. The place is the entry of the last list where
/// there is one, else the whole path.
pub fn expand(path: &Path) -> Vec<(String, Span)> {
    let mut names = vec![(String::new(), path.span)];
    for segment in &path.segments {
        let is_list = segment.len() > 1;
        let longer = names.iter().flat_map(|(name, span)| {
            segment.iter().map(move |word| {
                let dot = if name.is_empty() { "" } else { "." };
                (format!("{name}{dot}{}", word.text), if is_list { word.span } else { *span })
            })
        });
        names = longer.take(MOST_NAMES).collect();
    }
    names
}

/// The path of one dotted name.
pub fn of(name: &str, span: Span) -> Path {
    let segment = |word: &str| vec![Ident { text: word.to_owned(), span }];
    Path { segments: name.split('.').map(segment).collect(), span }
}

/// The one name that a path stands for; `None` if it holds a list.
pub fn single(path: &Path) -> Option<(String, Span)> {
    match expand(path).as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}
