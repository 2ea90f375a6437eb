//! `rope` to a call of the runtime's with a table that the whole forward pass shares.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::Rope;
use svspec_ir::op::rope::Layout;

/// `nn::rope(&q, rope)`.
pub fn emit(scope: &Scope<'_>, op: &Rope, input: ValueId) -> TokenStream {
    let (x, table) = (scope.reference(input), scope.rope(op));
    match op.layout {
        Layout::Half => quote!(nn::rope(#x, #table)),
        Layout::Interleaved => quote!(nn::rope_interleaved(#x, #table)),
    }
}

/// `rope(q)`.
pub fn equation(input: &Term) -> Term {
    Term::atom(format!("rope({})", input.text))
}
