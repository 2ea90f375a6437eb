//! `scale` to a multiplication by γ.

use super::Term;
use crate::model::Scope;
use crate::scale;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Scale;
use svspec_ir::{Model, ValueId};

/// `&x * &self.attn_norm_scale`.
pub fn emit(scope: &mut Scope<'_>, op: Scale, input: ValueId) -> TokenStream {
    let gamma = scale::gamma(scope, op.scale);
    let x = scope.reference(input);
    quote!(#x * #gamma)
}

/// `γ[attn_norm.scale] ⊙ x`.
pub fn equation(model: &Model, op: Scale, input: &Term) -> Term {
    let symbol =
        model.scales.get(op.scale.0).map_or(String::new(), |scale| scale::symbol(&scale.path, scale.form));
    Term::product(format!("{symbol} ⊙ {}", input.as_factor()))
}
