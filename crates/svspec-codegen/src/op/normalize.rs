//! `normalize` to a call of the runtime's.

use super::Term;
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::{Norm, Normalize};
use svspec_ir::{Node, ValueId};

/// `nn::rms_norm(&x, num_axes, eps)`.
pub fn emit(scope: &mut Scope<'_>, op: &Normalize, node: &Node, input: ValueId) -> TokenStream {
    let eps = scope.constant(node, "eps", &op.eps);
    let x = scope.reference(input);
    let num_axes = literal::integer(op.num_axes as u64);
    match op.norm {
        Norm::Rms => quote!(nn::rms_norm(#x, #num_axes, #eps)),
        Norm::Layer => quote!(nn::layer_norm(#x, #num_axes, #eps)),
    }
}

/// `Norm(x)` over all dimensions of one token, or named otherwise.
pub fn equation(op: &Normalize, input: &Term) -> Term {
    let function = match op.norm {
        Norm::Rms => "Norm",
        Norm::Layer => "LayerNorm",
    };
    Term::atom(format!("{function}({})", input.text))
}
