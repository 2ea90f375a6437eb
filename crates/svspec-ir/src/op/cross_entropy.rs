//! The loss of each token.

use serde::Serialize;

/// `y = logsumexp(logits) − logits[target]`, in nats; inputs: logits `[vocab]`, targets; output: no dimensions.
/// The model's loss is its mean over batch and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CrossEntropy;
