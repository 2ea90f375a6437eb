//! `loss_chunk` and `recompute`: the settings that trade time for memory.

use super::{LossChunk, amount};
use crate::resolve::number::Scope;
use crate::resolve::setting::{self, LARGEST_COUNT, plain};
use svspec_diagnostics::Diagnostic;
use svspec_syntax::ast::{Expr, ExprKind, Unit};

/// `auto`, `off`, or a number of tokens.
pub(super) fn loss_chunk(scope: &mut Scope<'_>, expr: &Expr) -> Option<LossChunk> {
    if setting::is_none(expr) {
        return Some(LossChunk::All);
    }
    if setting::bare_word(expr).as_deref() == Some("auto") {
        return Some(LossChunk::Auto);
    }
    let (value, _) = amount(scope, expr, Unit::Tokens)?;
    let tokens = setting::whole(scope, "loss_chunk", value, expr.span, LARGEST_COUNT)?;
    Some(LossChunk::Tokens(tokens as u64))
}

/// `off`, or how many layers; a percentage is of the stack, rounded up.
pub(super) fn recompute(scope: &mut Scope<'_>, expr: &Expr) -> Option<usize> {
    if setting::is_none(expr) {
        return Some(0);
    }
    // Without a stack there is a fault already, and no largest number.
    let num_layers = scope.num_layers.map_or(LARGEST_COUNT, |layers| layers as f64);
    let value = scope.number(expr)?;
    let is_share = matches!(&expr.kind, ExprKind::Number(number) if number.unit == Some(Unit::Percent));
    let value = if is_share { (value * num_layers).ceil() } else { value };
    if value > num_layers {
        let message =
            format!("`recompute` is {} layers, and the stack has {}", plain(value), plain(num_layers));
        scope.findings.push(
            Diagnostic::error("too-large", message)
                .at(expr.span, "more than there are")
                .help("write `recompute = layers` for all of them"),
        );
        return None;
    }
    setting::whole_from_zero(scope, "recompute", value, expr.span, num_layers)
}
