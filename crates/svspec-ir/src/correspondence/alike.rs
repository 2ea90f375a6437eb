//! Whether two ops compute the same but for which tensors they read.

use crate::Op;
use crate::op::Attention;

/// Numbers that were written differently, such as `1 / 12` and `144^-0.5`, may differ in their last bits.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Whether `a` and `b`, in layer `layer`, compute the same of the same inputs and of tensors of the same values.
pub(super) fn are_alike(a: &Op, b: &Op, layer: Option<usize>) -> bool {
    let has_moved = |op: &Op| !op.operation().scales().is_empty();
    match (a, b) {
        (Op::Gain(a), Op::Gain(b)) => is_close(a.factor.at(layer), b.factor.at(layer)),
        (Op::Attention(a), Op::Attention(b)) => {
            let rescaled = Op::Attention(Attention { scale: b.scale.clone(), ..a.clone() }).in_layer(layer);
            let other = Op::Attention(b.clone()).in_layer(layer);
            is_close(a.scale.at(layer), b.scale.at(layer)) && bare(&rescaled) == bare(&other)
        }
        (a, b) => bare(&a.in_layer(layer)) == bare(&b.in_layer(layer)) && !has_moved(a) && !has_moved(b),
    }
}

/// The op whatever tensors it reads.
fn bare(op: &Op) -> Op {
    op.operation().without_tensors().unwrap_or_else(|| op.clone())
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * a.abs()
}
