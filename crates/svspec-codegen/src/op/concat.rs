//! `concat` to LibTorch's own; one head is repeated for each of the others.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::{Dim, Node, ValueId};

/// `Tensor::cat(&[&a, &b.expand([-1, -1, NUM_HEADS, -1], false)], -1)`.
pub fn emit(scope: &Scope<'_>, node: &Node) -> TokenStream {
    let sides = node.inputs.iter().map(|&input| side(scope, input, &node.dims));
    quote!(Tensor::cat(&[#(#sides),*], -1))
}

fn side(scope: &Scope<'_>, input: ValueId, result: &[Dim]) -> TokenStream {
    match (scope.dims(input), result) {
        ([one, _], [heads, _]) if one.size != heads.size => {
            let (x, heads) = (scope.receiver(input), scope.around.constants.size(heads));
            quote!(&#x.expand([-1, -1, #heads, -1], false))
        }
        (_, _) => scope.reference(input),
    }
}

/// `[a, b]`.
pub fn equation(inputs: &[Term]) -> Term {
    let inputs: Vec<&str> = inputs.iter().map(|input| input.text.as_str()).collect();
    Term::atom(format!("[{}]", inputs.join(", ")))
}
