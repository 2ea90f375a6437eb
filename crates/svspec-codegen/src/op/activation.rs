//! `activation` to a call of the runtime's function of the same name.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use svspec_ir::ValueId;
use svspec_ir::op::{Activation, Operation as _};

/// `nn::silu(&x)`.
pub fn emit(scope: &Scope<'_>, op: Activation, input: ValueId) -> TokenStream {
    let x = scope.reference(input);
    let function = format_ident!("{}", op.name());
    quote!(nn::#function(#x))
}

/// `silu(x)`.
pub fn equation(op: Activation, input: &Term) -> Term {
    Term::atom(format!("{}({})", op.name(), input.text))
}
