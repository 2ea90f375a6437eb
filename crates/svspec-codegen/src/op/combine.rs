//! `combine` to a method of the choice.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Combine;
use svspec_ir::{Model, Node, ValueId};

impl Code for Combine {
    /// `chosen.combine(&x, &weights)`; without weights `chosen.sum(&x)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        if !self.weighted {
            let [x, chosen] = *operands(&node.inputs);
            let (x, chosen) = (scope.reference(x), scope.receiver(chosen));
            return quote!(#chosen.sum(#x)).into();
        }
        let [x, weights, chosen] = *operands(&node.inputs);
        let (x, weights, chosen) = (scope.reference(x), scope.reference(weights), scope.receiver(chosen));
        quote!(#chosen.combine(#x, #weights)).into()
    }

    /// `Σ[chosen] weights · x`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        if !self.weighted {
            let [x, chosen] = operands(inputs);
            return Term::product(format!("Σ[{}] {}", chosen.text, x.as_factor()));
        }
        let [x, weights, chosen] = operands(inputs);
        Term::product(format!("Σ[{}] {} · {}", chosen.text, weights.as_factor(), x.as_factor()))
    }
}
