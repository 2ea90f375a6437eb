//! `slice` to its share of a fused product; all shares of one product are split off at once, which keeps one gradient
//! for all of them instead of one filled with zeros for each.

use super::Emitted;
use crate::model::{Scope, Variable};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::op::Slice;
use svspec_ir::{Dim, Node, Op, ValueId};

/// The share itself, or a view of it as `op.dims`.
pub fn emit(scope: &mut Scope<'_>, op: &Slice, input: ValueId, id: ValueId) -> Emitted {
    if !scope.is_defined(id) {
        split(scope, input);
    }
    let flat = scope.receiver(id);
    if op.dims.len() > 1 {
        let sizes = scope.around.constants.shape(&op.dims);
        Emitted::Expression(quote!(#flat.unflatten(-1, [#sizes])))
    } else {
        Emitted::Known(Variable::Owned(flat))
    }
}

/// A product of one projection as `dims`.
pub fn viewed(scope: &Scope<'_>, product: TokenStream, dims: &[Dim]) -> TokenStream {
    if dims.len() > 1 {
        let sizes = scope.around.constants.shape(dims);
        quote!(#product.unflatten(-1, [#sizes]))
    } else {
        product
    }
}

/// `let [q, k, v] = nn::split(&qkv, [sizes]);`, which must cover the whole product: every projection is read.
fn split(scope: &mut Scope<'_>, product: ValueId) {
    let mut shares: Vec<(usize, ValueId, &Node, &Slice)> = Vec::new();
    for (index, node) in scope.region.nodes.iter().enumerate() {
        if let Op::Slice(slice) = &node.op
            && node.inputs.first() == Some(&product)
        {
            shares.push((slice.start, ValueId(index), node, slice));
        }
    }
    shares.sort_by_key(|(start, ..)| *start);
    let sizes: Vec<TokenStream> =
        shares.iter().map(|(.., slice)| scope.around.constants.product(&slice.dims)).collect();
    let names: Vec<Ident> = shares
        .iter()
        .map(|(.., node, slice)| {
            if slice.dims.len() > 1 {
                scope.bare_variable(&node.name)
            } else {
                scope.variable(&node.name, &slice.dims)
            }
        })
        .collect();
    for ((_, id, ..), name) in shares.iter().zip(&names) {
        scope.define(*id, Variable::Owned(name.clone()));
    }
    let product = scope.reference(product);
    scope.statements.push(quote!(let [#(#names),*] = nn::split(#product, [#(#sizes),*]);));
}
