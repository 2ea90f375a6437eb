//! `view` to LibTorch's own.

use crate::literal::integer;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::View;

/// `x.unflatten(-1, [NUM_HEADS, HEAD_DIM])` or `x.flatten(2, 3)`.
pub fn emit(scope: &Scope<'_>, op: &View, input: ValueId) -> TokenStream {
    let x = scope.receiver(input);
    if op.dims.len() > 1 {
        let sizes = scope.around.constants.shape(&op.dims);
        quote!(#x.unflatten(-1, [#sizes]))
    } else {
        let last = integer(scope.dims(input).len() as u64 + 1);
        quote!(#x.flatten(2, #last))
    }
}
