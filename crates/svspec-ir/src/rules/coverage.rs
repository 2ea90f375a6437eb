//! Tensors that no decay rule reaches, as diagnostics: one per kind of tensor, and role of scale vector.

use super::Tensor;
use crate::{Model, ParamKind, Role};
use std::collections::BTreeMap;
use svspec_diagnostics::Diagnostic;

/// `parameter-without-decay` for `unreached`, the tensors left over.
pub(super) fn without_decay(model: &Model, unreached: &[Tensor<'_>]) -> Vec<Diagnostic> {
    let mut by_kind: BTreeMap<(ParamKind, Option<Role>), Vec<&Tensor<'_>>> = BTreeMap::new();
    for tensor in unreached {
        by_kind
            .entry((tensor.param.kind, tensor.scale.map(|(_, facts, _)| facts.role)))
            .or_default()
            .push(tensor);
    }
    by_kind.iter().filter_map(|(&(kind, role), tensors)| diagnostic(model, kind, role, tensors)).collect()
}

fn diagnostic(
    model: &Model,
    kind: ParamKind,
    role: Option<Role>,
    tensors: &[&Tensor<'_>],
) -> Option<Diagnostic> {
    let first = tensors.first()?;
    let (noun, selector) = match (kind, role) {
        (ParamKind::Weight, _) => ("weight", "weight"),
        (ParamKind::Embedding, _) => ("embedding table", "embedding"),
        (ParamKind::Bias, _) => ("bias", "bias"),
        (ParamKind::Router, _) => ("router", "router"),
        // No rule reaches it, and none need to.
        (ParamKind::Correction, _) => return None,
        (ParamKind::Scale, Some(Role::Input)) => ("scale vector of role input", "scale where role == input"),
        (ParamKind::Scale, Some(Role::Output)) => {
            ("scale vector of role output", "scale where role == output")
        }
        (ParamKind::Scale, None) => ("scale vector", "scale"),
    };
    let name = model.instance_name(first.instance);
    let others = match tensors.len() - 1 {
        0 => String::new(),
        1 => " and 1 more tensor like it".to_owned(),
        more => format!(" and {more} more tensors like it"),
    };
    let value = match (kind, role) {
        (ParamKind::Weight | ParamKind::Router, _) | (ParamKind::Scale, Some(Role::Input)) => "0.1",
        (ParamKind::Embedding | ParamKind::Bias | ParamKind::Correction, _)
        | (ParamKind::Scale, Some(Role::Output) | None) => "0",
    };
    Some(
        Diagnostic::error("parameter-without-decay", format!("no decay rule reaches `{name}`{others}"))
            .at(first.param.span, format!("this {noun} is in no parameter group"))
            .help(format!("add a rule to the `optimizer` block: `decay {value} on {selector}`")),
    )
}
