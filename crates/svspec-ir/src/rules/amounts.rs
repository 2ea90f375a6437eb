//! Numbers of rules that depend on fans, and so are known only tensor by tensor: those out of range, as diagnostics.

use super::Tensor;
use crate::Model;
use crate::rule::{InitValue, ResolvedRule, Verb};
use svspec_diagnostics::Diagnostic;

/// `out-of-range` where `rule` gives `tensor` a number that it cannot have.
pub(super) fn out_of_range(model: &Model, tensor: &Tensor<'_>, rule: &ResolvedRule) -> Option<Diagnostic> {
    // Others were checked where they were read.
    let amount = rule.verb.amount().filter(|amount| amount.names_fan())?;
    let number = amount.of(tensor.param, tensor.instance.layer)?;
    let is_any = matches!(rule.verb, Verb::Init(InitValue::Constant(_)));
    if number.is_finite() && (is_any || number >= 0.0) {
        return None;
    }
    let (fan_in, fan_out) = tensor.param.fans()?;
    let name = model.instance_name(tensor.instance);
    let message = format!("`{}` is {number} for `{name}`", rule.verb.name());
    Some(
        Diagnostic::error("out-of-range", message)
            .at(rule.text.span, format!("`fan_in` is {fan_in} and `fan_out` {fan_out} there"))
            .help("a rule's number is finite and, but for `init constant`, not negative"),
    )
}
