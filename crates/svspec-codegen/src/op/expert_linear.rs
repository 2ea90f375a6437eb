//! `expert_linear` to a method of the choice.

use super::{Term, path};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::ExpertLinear;
use svspec_ir::{Model, ValueId};

/// `chosen.linear(&x, &self.experts_gate_weight)`.
pub fn emit(scope: &Scope<'_>, op: ExpertLinear, [x, chosen]: [ValueId; 2]) -> TokenStream {
    let (x, chosen, weight) = (scope.reference(x), scope.receiver(chosen), scope.parameter(op.weight));
    quote!(#chosen.linear(#x, &#weight))
}

/// `W[experts.gate.weight][chosen] · x`.
pub fn equation(model: &Model, op: ExpertLinear, [x, chosen]: [&Term; 2]) -> Term {
    Term::product(format!("W[{}][{}] · {}", path(model, op.weight), chosen.text, x.as_argument()))
}
