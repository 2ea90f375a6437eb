//! `slice` to its share of a value; where shares cover all of it, all are split off at once, which keeps one gradient for
//! all of them instead of one filled with zeros for each.

use super::{Code, Emitted, Term, operands};
use crate::literal::integer;
use crate::model::{Scope, Variable, live_values};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::op::Slice;
use svspec_ir::{Dim, Model, Node, Op, ValueId, dim};

impl Code for Slice {
    /// The share itself, or a view of it as `self.dims`.
    fn emit(&self, scope: &mut Scope<'_>, id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        if !scope.is_defined(id) {
            let shares = shares(scope, input);
            if shares.len() == 1 || !is_cover(&shares, scope.dims(input)) {
                return alone(scope, self, input).into();
            }
            split(scope, input, &shares);
        }
        let flat = scope.receiver(id);
        if self.dims.len() > 1 {
            viewed(scope, quote!(#flat), &self.dims).into()
        } else {
            Emitted::Known(Variable::Owned(flat))
        }
    }

    /// `x[0 .. 8]`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        let end = self.start + dim::num_elements(&self.dims);
        Term::atom(format!("{}[{} .. {end}]", input.as_argument(), self.start))
    }
}

/// The flat `product` as `dims`.
pub fn viewed(scope: &Scope<'_>, product: TokenStream, dims: &[Dim]) -> TokenStream {
    if dims.len() > 1 {
        let sizes = scope.around.constants.shape(dims);
        quote!(#product.unflatten(-1, [#sizes]))
    } else {
        product
    }
}

/// One share of a value.
#[derive(Clone, Copy)]
struct Share<'a> {
    id: ValueId,
    node: &'a Node,
    slice: &'a Slice,
}

/// The shares of `value` that something reads, in order.
fn shares<'a>(scope: &Scope<'a>, value: ValueId) -> Vec<Share<'a>> {
    let live = live_values(scope.region);
    let mut shares: Vec<Share<'a>> = Vec::new();
    for (index, node) in scope.region.nodes.iter().enumerate() {
        if let Op::Slice(slice) = &node.op
            && node.inputs.first() == Some(&value)
            && live.contains(&ValueId(index))
        {
            shares.push(Share { id: ValueId(index), node, slice });
        }
    }
    shares.sort_by_key(|share| share.slice.start);
    shares
}

/// Whether the shares lie end to end, from the first channel to the last.
fn is_cover(shares: &[Share<'_>], dims: &[Dim]) -> bool {
    let mut end = 0;
    for Share { slice, .. } in shares {
        if slice.start != end {
            return false;
        }
        end += dim::num_elements(&slice.dims);
    }
    dims.last().is_some_and(|last| last.size == end)
}

/// `x.narrow(-1, start, size)`.
fn alone(scope: &Scope<'_>, op: &Slice, input: ValueId) -> TokenStream {
    let (x, start) = (scope.receiver(input), integer(op.start as u64));
    let size = scope.around.constants.product(&op.dims);
    viewed(scope, quote!(#x.narrow(-1, #start, #size)), &op.dims)
}

/// `let [q, k, v] = nn::split(&qkv, [sizes]);`.
fn split(scope: &mut Scope<'_>, value: ValueId, shares: &[Share<'_>]) {
    let sizes: Vec<TokenStream> =
        shares.iter().map(|share| scope.around.constants.product(&share.slice.dims)).collect();
    let names: Vec<Ident> = shares
        .iter()
        .map(|Share { node, slice, .. }| {
            if slice.dims.len() > 1 {
                scope.bare_variable(&node.name)
            } else {
                scope.variable(&node.name, &node.dims)
            }
        })
        .collect();
    for (share, name) in shares.iter().zip(&names) {
        scope.define(share.id, Variable::Owned(name.clone()));
    }
    let value = scope.reference(value);
    scope.statements.push(quote!(let [#(#names),*] = nn::split(#value, [#(#sizes),*]);));
}
