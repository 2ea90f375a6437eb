//! A layer of the stack in, the same layer with a choice of what its backward pass is computed from out.

use super::{Documents, Rope, or_panic};
use crate::ffi;
use crate::params::LayerParams;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tch::Tensor;

/// What is kept of a layer's forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// All that the backward pass needs.
    Values,
    /// Its input; the backward pass computes the rest again, layer by layer (arXiv 1604.06174).
    Input,
}

/// A layer with its parameters, and what is kept of it.
#[derive(Debug)]
pub struct Stacked<L> {
    /// Behind a lock since a GPU's backward pass runs in a thread of its own.
    layer: Arc<Mutex<L>>,
    params: Vec<Tensor>,
    keeps: Keeps,
}

/// What the model hands to every layer beside its input, and a layer that is computed again keeps.
pub trait Shared {
    /// What is kept.
    type Kept: Send + 'static;

    /// The same tensors.
    fn kept(self) -> Self::Kept;
}

impl Shared for () {
    type Kept = ();

    fn kept(self) {}
}

impl Shared for &Rope {
    type Kept = Rope;

    fn kept(self) -> Rope {
        self.shallow_clone()
    }
}

impl Shared for &Documents {
    type Kept = Documents;

    fn kept(self) -> Documents {
        self.shallow_clone()
    }
}

impl<S: Shared, const N: usize> Shared for [S; N] {
    type Kept = [S::Kept; N];

    fn kept(self) -> Self::Kept {
        self.map(S::kept)
    }
}

impl<A: Shared, B: Shared> Shared for (A, B) {
    type Kept = (A::Kept, B::Kept);

    fn kept(self) -> Self::Kept {
        (self.0.kept(), self.1.kept())
    }
}

impl<L: Send + 'static> Stacked<L> {
    /// `layer`, which reads no other parameters than these.
    pub fn new(layer: L, params: &LayerParams<'_>, keeps: Keeps) -> Self {
        Self { layer: Arc::new(Mutex::new(layer)), params: params.all(), keeps }
    }

    /// The layer itself, if all is kept of it.
    pub fn kept(&self) -> Option<MutexGuard<'_, L>> {
        match self.keeps {
            Keeps::Values => Some(self.layer.lock().unwrap_or_else(PoisonError::into_inner)),
            Keeps::Input => None,
        }
    }

    /// What `forward` makes of `x` with the layer and what is shared, its rotary tables for one; it may be called again until the
    /// gradient is computed.
    ///
    /// # Panics
    /// If LibTorch refuses.
    pub fn forward<S: Shared>(
        &self,
        x: &Tensor,
        shared: S,
        forward: fn(&L, &Tensor, &S::Kept) -> Tensor,
    ) -> Tensor {
        let (layer, shared) = (Arc::clone(&self.layer), shared.kept());
        // A layer has no state of its own that a panic could leave half changed.
        let run =
            move |x: &Tensor| forward(&layer.lock().unwrap_or_else(PoisonError::into_inner), x, &shared);
        match self.keeps {
            Keeps::Values => run(x),
            Keeps::Input => or_panic(ffi::recompute(x, &self.params, run)),
        }
    }
}
