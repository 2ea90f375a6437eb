//! The letters that end a tensor's name: one for each of its dimensions.

use svspec_ir::op::choose::channel_dims;
use svspec_ir::{Dim, Model, Op, Region};

/// A letter for each name of a dimension; `b`, `t` and `p` are batch, time and several projections side by side, `r` rows
/// sorted by expert.
#[derive(Clone, Debug)]
pub struct Legend {
    /// In the order of the values.
    letters: Vec<(String, char)>,
}

impl Legend {
    /// Letters for every dimension of the values of `model`.
    pub fn of(model: &Model) -> Self {
        let mut letters: Vec<(String, char)> = Vec::new();
        let dims = model.regions.iter().flat_map(|region| region.nodes.iter().flat_map(|node| &node.dims));
        for dim in dims.filter(|dim| dim.size > 1) {
            if letters.iter().all(|(name, _)| *name != dim.name) {
                let letter = free_letter(&dim.name, &letters);
                letters.push((dim.name.clone(), letter));
            }
        }
        Self { letters }
    }

    /// `btd` for `[width]`; `rd` for the copies of tokens that experts are given.
    pub fn suffix(&self, dims: &[Dim]) -> String {
        let channels = channel_dims(dims);
        if channels.len() < dims.len() {
            return std::iter::once('r').chain(channels.iter().map(|dim| self.letter(dim))).collect();
        }
        let letters = dims.iter().map(|dim| self.letter(dim));
        ['b', 't'].into_iter().chain(letters).collect()
    }

    /// A dimension of size 1 is a `1`; one that only a rewrite knows, a `p`.
    fn letter(&self, dim: &Dim) -> char {
        let known = self.letters.iter().find(|(name, _)| *name == dim.name).map(|(_, letter)| *letter);
        known.unwrap_or(if dim.size == 1 { '1' } else { 'p' })
    }

    /// One line: ``b batch, t time, d width``.
    pub fn text(&self, rewritten: &Model) -> String {
        let mut parts = vec!["`b` batch".to_owned(), "`t` time".to_owned()];
        let is_fused = |region: &Region| region.nodes.iter().any(|node| matches!(node.op, Op::Slice(_)));
        if rewritten.regions.iter().any(is_fused) {
            parts.push("`p` projections side by side".to_owned());
        }
        let has_experts =
            |region: &Region| region.nodes.iter().any(|node| matches!(node.op, Op::Dispatch(_)));
        if rewritten.regions.iter().any(has_experts) {
            parts.push("`r` pairs of a token and an expert, sorted by expert".to_owned());
        }
        parts.extend(self.letters.iter().map(|(name, letter)| format!("`{letter}` {name}")));
        parts.join(", ")
    }
}

fn free_letter(name: &str, letters: &[(String, char)]) -> char {
    let usual = match name {
        "width" => Some('d'),
        "vocab" => Some('v'),
        "heads" => Some('h'),
        "kv_heads" => Some('g'),
        "head_dim" => Some('k'),
        "hidden" => Some('f'),
        "experts" => Some('e'),
        "chosen" => Some('c'),
        _ => None,
    };
    let own = name.chars().filter(char::is_ascii_lowercase);
    usual
        .into_iter()
        .chain(own.filter(|letter| !"btpr".contains(*letter)))
        .chain('a'..='z')
        .find(|letter| letters.iter().all(|(_, taken)| taken != letter) && !"btpr".contains(*letter))
        .unwrap_or('n')
}
