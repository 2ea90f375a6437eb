//! The first thing in which two models differ, in words.

use crate::print::op::head;
use crate::print::paths;
use crate::{Model, Node, ParamId};

/// Two models that differ, and how far they were found to be alike.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{difference}")]
pub struct Mismatch {
    /// The first difference.
    pub difference: Difference,
    /// How many ops were met before it that compute the same.
    pub num_met: usize,
}

/// Why a model is not the other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A vector cannot stay one there, and no weight takes it.
    Unfoldable {
        /// The vector.
        path: String,
        /// What stands against leaving it a vector.
        why: String,
        /// Why it does not fold.
        reason: String,
    },
    /// The stacks are of different lengths.
    Depth {
        /// Of this model.
        ours: usize,
        /// Of the other.
        theirs: usize,
    },
    /// A token sees those of other documents in one of them, or other tokens end documents.
    Documents {
        /// `document_end` of this model.
        ours: Option<usize>,
        /// Of the other.
        theirs: Option<usize>,
    },
    /// Something else is computed.
    Op {
        /// The layer, counted from 0 as in a checkpoint, or the block outside the stack.
        place: String,
        /// The value's name in this model.
        name: String,
        /// What this model computes there.
        ours: String,
        /// What the other computes there.
        theirs: String,
    },
    /// The same is computed of tensors of other sizes.
    Size {
        /// As above.
        place: String,
        /// This model's tensor, with its sizes.
        ours: String,
        /// The other's.
        theirs: String,
    },
    /// Two tensors would have to be one.
    Sharing {
        /// As above.
        place: String,
        /// This model's tensor.
        ours: String,
        /// Its other tensor.
        others: String,
        /// The one of the other model.
        theirs: String,
    },
    /// A tensor of the other model that nothing in it reads.
    Unread {
        /// The tensor.
        name: String,
    },
}

impl std::error::Error for Difference {}

/// As one says it of this model, the other being "it".
impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words("this model", "it"))
    }
}

impl Difference {
    /// In words, with names for the two models.
    pub fn words(&self, this: &str, other: &str) -> String {
        match self {
            Self::Unfoldable { path, why, reason } => format!("`{path}` {why} and does not fold: {reason}"),
            Self::Depth { ours, theirs } => {
                let layers = if *ours == 1 { "layer" } else { "layers" };
                format!("{this} has {ours} {layers}, and {other} {theirs}")
            }
            Self::Documents { ours, theirs } => {
                let end = |end: &Option<usize>| match end {
                    Some(token) => format!("`document_end = {token}`"),
                    None => "no `document_end`".to_owned(),
                };
                format!("{this} has {}, and {other} {}", end(ours), end(theirs))
            }
            Self::Op { place, name, ours, theirs } => {
                format!("{place}: `{name}` is `{ours}` in {this}, where {other} has `{theirs}`")
            }
            Self::Size { place, ours, theirs } => {
                format!("{place}: {this} has {ours}, where {other} has {theirs}")
            }
            Self::Sharing { place, ours, others, theirs } => {
                format!(
                    "{place}: {this} has both `{ours}` and `{others}`, where {other} has `{theirs}` alone"
                )
            }
            Self::Unread { name } => {
                format!("nothing says what `{name}` would be: no logit of {other} depends on it")
            }
        }
    }

    /// What would help, in words.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unfoldable { .. } => {
                "give the vector a place and a form in the new spec that can hold its value; `svc fold` says what would let \
                 it fold"
            }
            Self::Depth { .. } => "give the new spec as many layers: none are added, and none taken away",
            Self::Documents { .. } | Self::Op { .. } | Self::Size { .. } => {
                "take the change out of the new spec; or train the new spec from its own start: what is computed otherwise \
                 is learned anew"
            }
            Self::Sharing { .. } => {
                "keep the two apart in the new spec: values that differ have no common one"
            }
            Self::Unread { .. } => "take it out of the new spec, or let something read it",
        }
    }
}

/// What two nodes compute, as prints show it.
pub(super) fn of_nodes(
    place: &str,
    layer: Option<usize>,
    (ours, a): (&Model, &Node),
    (theirs, b): (&Model, &Node),
) -> Difference {
    let layers: Vec<usize> = layer.into_iter().collect();
    let show = |model: &Model, node: &Node| {
        let sizes: Vec<String> = node.dims.iter().map(|dim| dim.size.to_string()).collect();
        format!("{} → [{}]", head(model, &node.op, &node.dims, &layers), sizes.join(", "))
    };
    Difference::Op {
        place: place.to_owned(),
        name: a.name.clone(),
        ours: show(ours, a),
        theirs: show(theirs, b),
    }
}

/// What two tensors are, by name and sizes.
pub(super) fn of_sizes(
    place: &str,
    (ours, a): (&Model, ParamId),
    (theirs, b): (&Model, ParamId),
) -> Difference {
    let show = |model: &Model, id: ParamId| {
        let param = model.params.get(id.0);
        param.map_or_else(String::new, |param| format!("`{}` {}", param.path, paths::sizes(&param.dims)))
    };
    Difference::Size { place: place.to_owned(), ours: show(ours, a), theirs: show(theirs, b) }
}
