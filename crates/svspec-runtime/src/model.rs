//! What a generated model is to the trainer: a spec, and a loss computed from parameters.

use crate::foreign::Foreign;
use crate::losses::Losses;
use crate::params::Params;
use crate::spec::Spec;
use tch::Tensor;

/// A language model with its parameters in hand. Shapes: `b` sequences, `t` tokens, `v` vocabulary.
pub trait Model: Sized {
    /// Its tables.
    const SPEC: &'static Spec;

    /// Where its parameters lie in checkpoints of other software; empty if its spec does not say.
    const FOREIGN: Foreign = Foreign::NONE;

    /// Takes the parameters it needs by name. They share storage with `params`, so that an optimizer step is seen here.
    fn new(params: &Params) -> Self;

    /// Token ids `[b, t]` to logits `[b, t, v]`; position `i` sees tokens up to and including `i`.
    fn logits(&self, tokens_bt: &Tensor) -> Tensor;

    /// The mean cross-entropy in nats of `targets_bt`, a scalar.
    fn loss(&self, tokens_bt: &Tensor, targets_bt: &Tensor) -> Tensor;

    /// The same, with all that a training step minimises or moves besides.
    fn losses(&self, tokens_bt: &Tensor, targets_bt: &Tensor) -> Losses {
        Losses::plain(self.loss(tokens_bt, targets_bt))
    }
}
