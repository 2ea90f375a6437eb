//! The tests' model in bf16, its batch in two halves.

use crate::hand::Size;
use crate::tiny::Tiny;
use svspec_runtime::spec::{Precision, Training};

pub struct TinyBf16;

impl Size for TinyBf16 {
    const NAME: &'static str = "tiny_bf16";
    const TRAINING: Training = Training { precision: Precision::Bf16, micro_batch: 4, ..Tiny::TRAINING };
}
