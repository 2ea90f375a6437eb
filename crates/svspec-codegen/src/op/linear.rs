//! `linear` to one matrix product, its scale vectors applied to the weights, its projections side by side.

use super::{Code, Emitted, Term, operands, path};
use crate::literal::integer;
use crate::model::Scope;
use crate::scale;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use svspec_ir::op::{Linear, Projection};
use svspec_ir::{Model, Node, ValueId};

impl Code for Linear {
    /// `nn::linear(&x, &self.weight)`, with weights viewed as matrices.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let num_in_dims = scope.dims(input).len();
        let weight = match self.projections.as_slice() {
            [single] if !single.is_scaled() => {
                let (weight, view) = (scope.parameter(single.weight), view(single, num_in_dims));
                let matrix = quote!(#weight #view);
                // The result is viewed in turn, which is long enough a statement.
                let is_bound = single.out.len() > 1;
                if is_bound {
                    scope.bind(scope.path(single.weight), &matrix).to_token_stream()
                } else {
                    matrix
                }
            }
            several => scaled(scope, several, node, num_in_dims),
        };
        let x = if num_in_dims > 1 {
            let x = scope.receiver(input);
            let last = integer(num_in_dims as u64 + 1);
            quote!(&#x.flatten(2, #last))
        } else {
            scope.reference(input)
        };
        let product = quote!(nn::linear(#x, &#weight));
        if self.projections.len() == 1 {
            super::slice::viewed(scope, product, &node.dims).into()
        } else {
            product.into()
        }
    }

    /// `W[attn.q.weight] · x`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        let weight = |projection: &Projection| format!("W[{}]", path(model, projection.weight));
        let weights: Vec<String> = self.projections.iter().map(weight).collect();
        Term::product(format!("{} · {}", weights.join(" | "), input.as_argument()))
    }
}

/// A variable for the weights with their scale vectors on them, one above the other.
fn scaled(scope: &mut Scope<'_>, projections: &[Projection], node: &Node, num_in_dims: usize) -> TokenStream {
    if let [single] = projections {
        let weight = weight(scope, single, num_in_dims);
        let name = scope.bind(scope.path(single.weight), &quote!(#weight.scaled()));
        return quote!(#name);
    }
    let mut weights = Vec::new();
    for projection in projections {
        let weight = weight(scope, projection, num_in_dims);
        weights.push(scope.bind(scope.path(projection.weight), &weight));
    }
    let name = scope.bind(&format!("{}_weight", node.name), &quote!(nn::weights(&[#(#weights),*])));
    quote!(#name)
}

/// `nn::Weight::new(&self.weight, num_in_dims)` with what is on its columns and rows.
fn weight(scope: &mut Scope<'_>, projection: &Projection, num_in_dims: usize) -> TokenStream {
    let columns = projection.column_scale.map(|column| {
        let gamma = scale::gamma(scope, column);
        quote!(.columns(#gamma))
    });
    let rows = projection.row_scale.map(|row| {
        let gamma = scale::gamma(scope, row);
        quote!(.rows(#gamma))
    });
    let (weight, num_in_dims) = (scope.parameter(projection.weight), integer(num_in_dims as u64));
    quote!(nn::Weight::new(&#weight, #num_in_dims) #columns #rows)
}

/// The calls that make the weight `[out, in]`; none if it is.
fn view(projection: &Projection, num_in_dims: usize) -> TokenStream {
    let num_out_dims = projection.out.len();
    let rows = (num_out_dims > 1).then(|| {
        let last = integer(num_out_dims as u64 - 1);
        quote!(.flatten(0, #last))
    });
    let columns = (num_in_dims > 1).then(|| {
        let first = integer(num_in_dims as u64);
        quote!(.flatten(-#first, -1))
    });
    quote!(#rows #columns)
}
