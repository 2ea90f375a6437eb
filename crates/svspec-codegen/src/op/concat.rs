//! `concat` to LibTorch's own; one head is repeated for each of the others.

use super::{Code, Emitted, Term};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Concat;
use svspec_ir::{Dim, Model, Node, ValueId};

impl Code for Concat {
    /// `Tensor::cat(&[&a, &b.expand([-1, -1, NUM_HEADS, -1], false)], -1)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let sides = node.inputs.iter().map(|&input| side(scope, input, &node.dims));
        quote!(Tensor::cat(&[#(#sides),*], -1)).into()
    }

    /// `[a, b]`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let inputs: Vec<&str> = inputs.iter().map(|input| input.text.as_str()).collect();
        Term::atom(format!("[{}]", inputs.join(", ")))
    }
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
