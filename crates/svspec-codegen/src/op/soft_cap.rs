//! `soft_cap` to a call of the runtime's.

use super::{Code, Emitted, Term, constant_text, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::SoftCap;
use svspec_ir::{Model, Node, ValueId};

impl Code for SoftCap {
    /// `nn::soft_cap(&x, cap)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let cap = scope.constant(node, "cap", &self.cap);
        let x = scope.reference(input);
        quote!(nn::soft_cap(#x, #cap)).into()
    }

    /// `soft_cap(x, 30)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        Term::atom(format!("soft_cap({}, {})", input.text, constant_text(&self.cap)))
    }
}
