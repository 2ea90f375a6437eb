//! `weigh` to a method of the choice.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Weigh;
use svspec_ir::{Model, Node, ValueId};

impl Code for Weigh {
    /// `chosen.weigh(&x, &weights)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [x, weights, chosen] = *operands(&node.inputs);
        let (x, weights, chosen) = (scope.reference(x), scope.reference(weights), scope.receiver(chosen));
        quote!(#chosen.weigh(#x, #weights)).into()
    }

    /// `weights · x`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [x, weights, _] = operands(inputs);
        Term::product(format!("{} · {}", weights.as_factor(), x.as_factor()))
    }
}
