//! The tests' model with norm 1 on some of its matrices: a table's rows, rows of one map, and columns of another's in one layer.

use crate::hand::Size;
use crate::tiny::Tiny;
use svspec_runtime::spec::{Layers, Training, UnitRow};

pub struct TinyUnit;

impl Size for TinyUnit {
    const NAME: &'static str = "tiny_unit";
    const TRAINING: Training = Tiny::TRAINING;
    const UNITS: &'static [UnitRow] = &[
        UnitRow { path: "embed.weight", layers: Layers::Outside, axes: &[1] },
        UnitRow { path: "attn.q.weight", layers: Layers::Range(0, 2), axes: &[1] },
        UnitRow { path: "mlp.down.weight", layers: Layers::List(&[1]), axes: &[0] },
    ];
}
