//! `linear` to one matrix product, its scale vectors applied to the weights, its projections side by side.

use super::{Code, Emitted, Term, operands, path};
use crate::literal::integer;
use crate::model::Scope;
use crate::scale;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::{Linear, Projection};
use svspec_ir::{Model, Node, ScaleId, ValueId};

impl Code for Linear {
    /// `nn::linear(&x, &self.weight)`, with weights viewed as matrices.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let num_in_dims = scope.dims(input).len();
        let weight = match self.projections.as_slice() {
            [single] if is_plain(single) && single.out.len() == 1 => {
                let (weight, view) = (scope.parameter(single.weight), view(single, num_in_dims));
                quote!(#weight #view)
            }
            [single] => bound(scope, single, num_in_dims),
            several => fused(scope, several, node, num_in_dims),
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

/// The weights of several projections, one above the other. A γ that all of them take on their columns is applied to
/// the whole at once.
fn fused(scope: &mut Scope<'_>, several: &[Projection], node: &Node, num_in_dims: usize) -> TokenStream {
    let common = if num_in_dims == 1 { common_column_scale(several) } else { None };
    let plain = |projection: &Projection| Projection { column_scale: None, ..projection.clone() };
    let weights: Vec<TokenStream> = several
        .iter()
        .map(|projection| if common.is_some() { plain(projection) } else { projection.clone() })
        .map(|projection| {
            if is_plain(&projection) && view(&projection, num_in_dims).is_empty() {
                scope.parameter(projection.weight)
            } else {
                bound(scope, &projection, num_in_dims)
            }
        })
        .collect();
    let name = scope.bind(&format!("{}_weight", node.name), &quote!(Tensor::cat(&[#(&#weights),*], 0)));
    if let Some(column) = common {
        let gamma = scale::gamma(scope, column);
        scope.statements.push(quote!(let #name = #name * #gamma;));
    }
    quote!(#name)
}

/// The γ on the columns of all `projections`, if it is one.
fn common_column_scale(projections: &[Projection]) -> Option<ScaleId> {
    let column = projections.first()?.column_scale?;
    projections.iter().all(|projection| projection.column_scale == Some(column)).then_some(column)
}

/// Whether no scale vector was moved onto the weight.
fn is_plain(projection: &Projection) -> bool {
    projection.column_scale.is_none() && projection.row_scale.is_none()
}

/// A variable for `diag(row) W diag(column)` as a matrix.
fn bound(scope: &mut Scope<'_>, projection: &Projection, num_in_dims: usize) -> TokenStream {
    let weight = scope.parameter(projection.weight);
    let view = view(projection, num_in_dims);
    let column = projection.column_scale.map(|column| scale::gamma(scope, column));
    let row = projection.row_scale.map(|row| {
        let gamma = scale::gamma(scope, row);
        if scope.scale(row).dims.is_empty() { gamma } else { above_columns(&gamma, num_in_dims) }
    });
    let path = scope.path(projection.weight);
    let mut factors = [column, row].into_iter().flatten();
    let Some(first) = factors.next() else {
        let name = scope.bind(path, &quote!(#weight #view));
        return quote!(#name);
    };
    let name = scope.bind(path, &quote!(&#weight * #first));
    for factor in factors {
        scope.statements.push(quote!(let #name = #name * #factor;));
    }
    if !view.is_empty() {
        scope.statements.push(quote!(let #name = #name #view;));
    }
    quote!(#name)
}

/// γ of the rows, with a dimension of 1 for each dimension of the columns.
fn above_columns(gamma: &TokenStream, num_in_dims: usize) -> TokenStream {
    // Without the `&` in front: the method borrows.
    let gamma: TokenStream = gamma.clone().into_iter().skip(1).collect();
    let unsqueezes = std::iter::repeat_n(quote!(.unsqueeze(-1)), num_in_dims);
    quote!(#gamma #(#unsqueezes)*)
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
