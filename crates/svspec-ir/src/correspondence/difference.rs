//! The first thing in which two models differ, in words.

use crate::print::op::head;
use crate::{Model, Node};

/// Why a model is not the other one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// A vector has no place there, and no weight takes it.
    #[error("`{path}` has no place in it and does not fold: {reason}")]
    Unfoldable {
        /// The vector.
        path: String,
        /// Why it does not fold.
        reason: String,
    },
    /// The stacks are of different lengths.
    #[error("this model has {ours} layers, and it {theirs}")]
    Depth {
        /// Of this model.
        ours: usize,
        /// Of the other.
        theirs: usize,
    },
    /// Something else is computed.
    #[error("{place}: `{name}` is `{ours}` in this model, where it has `{theirs}`")]
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
    /// One tensor stands where two do.
    #[error(
        "{place}: `{name}` is one tensor in one of the two models and shared in the other: {ours}, {theirs}"
    )]
    Sharing {
        /// As above.
        place: String,
        /// The value's name in this model.
        name: String,
        /// This model's tensor.
        ours: String,
        /// The other's.
        theirs: String,
    },
}

/// What two nodes compute, as prints show it.
pub(super) fn of_nodes(place: &str, (ours, a): (&Model, &Node), (theirs, b): (&Model, &Node)) -> Difference {
    let show = |model: &Model, node: &Node| {
        let sizes: Vec<String> = node.dims.iter().map(|dim| dim.size.to_string()).collect();
        format!("{} → [{}]", head(model, &node.op, &node.dims), sizes.join(", "))
    };
    Difference::Op {
        place: place.to_owned(),
        name: a.name.clone(),
        ours: show(ours, a),
        theirs: show(theirs, b),
    }
}
