//! `expert_bias` to a method of the choice.

use super::{Term, path};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::ExpertBias;
use svspec_ir::{Model, ValueId};

/// `chosen.bias(&x, &self.experts_gate_bias)`.
pub fn emit(scope: &Scope<'_>, op: ExpertBias, [x, chosen]: [ValueId; 2]) -> TokenStream {
    let (x, chosen, bias) = (scope.reference(x), scope.receiver(chosen), scope.parameter(op.param));
    quote!(#chosen.bias(#x, &#bias))
}

/// `x + b[experts.gate.bias][chosen]`.
pub fn equation(model: &Model, op: ExpertBias, [x, chosen]: [&Term; 2]) -> Term {
    Term::sum(format!("{} + b[{}][{}]", x.text, path(model, op.param), chosen.text))
}
