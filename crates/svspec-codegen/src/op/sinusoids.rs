//! `sinusoids` to a call of the runtime's.

use super::Term;
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::Sinusoids;
use svspec_ir::op::rope::Layout;

/// `nn::sinusoids(tokens, WIDTH, theta, offset, kind)`, in the kind of the parameters.
pub fn emit(scope: &Scope<'_>, op: &Sinusoids, tokens: ValueId) -> TokenStream {
    let (tokens, width) = (scope.reference(tokens), scope.around.constants.size(&op.width));
    let (theta, offset) = (literal::float(op.theta), literal::integer(op.offset as u64));
    let kind = scope.kind();
    match op.layout {
        Layout::Half => quote!(nn::sinusoids(#tokens, #width, #theta, #offset, #kind)),
        Layout::Interleaved => quote!(nn::sinusoids_interleaved(#tokens, #width, #theta, #offset, #kind)),
    }
}

/// `sinusoids(t + 2)`.
pub fn equation(op: &Sinusoids) -> Term {
    let offset = if op.offset == 0 { String::new() } else { format!(" + {}", op.offset) };
    Term::atom(format!("sinusoids(t{offset})"))
}
