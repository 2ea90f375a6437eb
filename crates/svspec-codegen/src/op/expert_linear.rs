//! `expert_linear` to a method of the choice.

use super::{Code, Emitted, Term, operands, path};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::ExpertLinear;
use svspec_ir::{Model, Node, ValueId};

impl Code for ExpertLinear {
    /// `chosen.linear(&x, &self.experts_gate_weight)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [x, chosen] = *operands(&node.inputs);
        let (x, chosen, weight) = (scope.reference(x), scope.receiver(chosen), scope.parameter(self.weight));
        quote!(#chosen.linear(#x, &#weight)).into()
    }

    /// `W[experts.gate.weight][chosen] · x`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [x, chosen] = operands(inputs);
        Term::product(format!("W[{}][{}] · {}", path(model, self.weight), chosen.text, x.as_argument()))
    }
}
