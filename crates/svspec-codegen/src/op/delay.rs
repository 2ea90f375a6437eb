//! `delay` to a call of the runtime's.

use super::{Code, Emitted, Term, operands};
use crate::literal::integer;
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Delay;
use svspec_ir::{Model, Node, ValueId};

impl Code for Delay {
    /// `nn::delay(&x, 1)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let steps = integer(self.steps as u64);
        let x = scope.reference(input);
        match scope.documents() {
            None => quote!(nn::delay(#x, #steps)).into(),
            Some(documents) => quote!(#documents.delay(#x, #steps)).into(),
        }
    }

    /// `delay(x, 1)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        Term::atom(format!("delay({}, {})", input.text, self.steps))
    }
}
