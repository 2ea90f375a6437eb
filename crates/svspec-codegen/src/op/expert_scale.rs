//! `expert_scale` to a method of the choice.

use super::Term;
use crate::model::Scope;
use crate::scale;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::ExpertScale;
use svspec_ir::{Model, ValueId};

/// `chosen.scale(&x, &self.experts_up_out_scale)`.
pub fn emit(scope: &mut Scope<'_>, op: ExpertScale, [x, chosen]: [ValueId; 2]) -> TokenStream {
    let gamma = scale::gamma(scope, op.scale);
    let (x, chosen) = (scope.reference(x), scope.receiver(chosen));
    quote!(#chosen.scale(#x, #gamma))
}

/// `γ[experts.up.out_scale][chosen] ⊙ x`.
pub fn equation(model: &Model, op: ExpertScale, [x, chosen]: [&Term; 2]) -> Term {
    let symbol =
        model.scales.get(op.scale.0).map_or(String::new(), |scale| scale::symbol(&scale.path, scale.form));
    Term::product(format!("{symbol}[{}] ⊙ {}", chosen.text, x.as_factor()))
}
