//! `expert_bias` to a method of the choice.

use super::{Code, Emitted, Term, operands, path};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::ExpertBias;
use svspec_ir::{Model, Node, ValueId};

impl Code for ExpertBias {
    /// `chosen.bias(&x, &self.experts_gate_bias)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [x, chosen] = *operands(&node.inputs);
        let (x, chosen, bias) = (scope.reference(x), scope.receiver(chosen), scope.parameter(self.param));
        quote!(#chosen.bias(#x, &#bias)).into()
    }

    /// `x + b[experts.gate.bias][chosen]`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [x, chosen] = operands(inputs);
        Term::sum(format!("{} + b[{}][{}]", x.text, path(model, self.param), chosen.text))
    }
}
