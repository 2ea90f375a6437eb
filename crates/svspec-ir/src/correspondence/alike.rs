//! Whether two ops compute the same but for which tensors they read.

use crate::Op;

/// Numbers that were written differently, such as `1 / 12` and `144^-0.5`, may differ in their last bits.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Whether `a` and `b`, in layer `layer`, compute the same of the same inputs and of tensors of the same values.
pub(super) fn are_alike(a: &Op, b: &Op, layer: Option<usize>) -> bool {
    match (a, b) {
        (Op::Gain(a), Op::Gain(b)) => is_close(a.factor.at(layer), b.factor.at(layer)),
        (Op::Attention(a), Op::Attention(b)) => {
            is_close(a.scale, b.scale)
                && a.window == b.window
                && a.soft_cap == b.soft_cap
                && a.sinks.is_some() == b.sinks.is_some()
        }
        (Op::Positions(a), Op::Positions(b)) => a.offset == b.offset,
        (Op::Embed(_), Op::Embed(_))
        | (Op::Bias(_), Op::Bias(_))
        | (Op::ExpertLinear(_), Op::ExpertLinear(_)) => true,
        (Op::Linear(_), Op::Linear(_)) => is_plain(a) && is_plain(b),
        (a, b) => a.operation().params().is_empty() && a == b,
    }
}

/// A product with one weight, and no vector on it.
fn is_plain(op: &Op) -> bool {
    let projections = op.as_linear().map(|linear| linear.projections.as_slice());
    matches!(projections, Some([only]) if only.column_scale.is_none() && only.row_scale.is_none())
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * a.abs()
}
