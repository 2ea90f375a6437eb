//! `dispatch` to a method of the choice.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Dispatch;
use svspec_ir::{Model, Node, ValueId};

impl Code for Dispatch {
    /// `chosen.dispatch(&x)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [x, chosen] = *operands(&node.inputs);
        let (x, chosen) = (scope.reference(x), scope.receiver(chosen));
        quote!(#chosen.dispatch(#x)).into()
    }

    /// The value itself.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [x, _] = operands(inputs);
        x.clone()
    }
}
