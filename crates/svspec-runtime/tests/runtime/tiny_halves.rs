//! Another of the tests' models, its batch in two halves.

use crate::hand::Size;
use std::marker::PhantomData;
use svspec_runtime::spec::{Algorithm, Training};

pub struct Halves<S>(PhantomData<S>);

impl<S: Size> Size for Halves<S> {
    const NAME: &'static str = "tiny_halves";
    const CONTEXT: i64 = S::CONTEXT;
    const WIDTH: i64 = S::WIDTH;
    const NUM_LAYERS: usize = S::NUM_LAYERS;
    const NUM_HEADS: i64 = S::NUM_HEADS;
    const HIDDEN: i64 = S::HIDDEN;
    const TRAINING: Training = Training { micro_batch: S::TRAINING.batch / 2, ..S::TRAINING };
    const ALGORITHMS: [Algorithm; 2] = S::ALGORITHMS;
}
