//! `view` to LibTorch's own.

use super::{Code, Emitted, Term, operands};
use crate::literal::integer;
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::View;
use svspec_ir::{Model, Node, ValueId};

impl Code for View {
    /// `x.unflatten(-1, [NUM_HEADS, HEAD_DIM])` or `x.flatten(2, 3)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let x = scope.receiver(input);
        if self.dims.len() > 1 {
            let sizes = scope.around.constants.shape(&self.dims);
            quote!(#x.unflatten(-1, [#sizes])).into()
        } else {
            let last = integer(scope.dims(input).len() as u64 + 1);
            quote!(#x.flatten(2, #last)).into()
        }
    }

    /// The value itself.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        input.clone()
    }
}
