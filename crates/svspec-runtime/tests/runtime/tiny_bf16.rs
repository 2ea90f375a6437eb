//! The tests' model in bf16, its batch in two halves.

use crate::hand::Size;
use crate::tiny::Tiny;
use svspec_runtime::spec::{Precision, Training};

pub struct TinyBf16;

impl Size for TinyBf16 {
    const NAME: &'static str = "tiny_bf16";
    const CONTEXT: i64 = Tiny::CONTEXT;
    const WIDTH: i64 = Tiny::WIDTH;
    const NUM_LAYERS: usize = Tiny::NUM_LAYERS;
    const NUM_HEADS: i64 = Tiny::NUM_HEADS;
    const HIDDEN: i64 = Tiny::HIDDEN;
    const TRAINING: Training = Training { precision: Precision::Bf16, micro_batch: 4, ..Tiny::TRAINING };
}
