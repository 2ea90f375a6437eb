//! `gain` to a multiplication by a number.

use super::{Code, Emitted, Term, constant_text, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Gain;
use svspec_ir::{Model, Node, ValueId};

impl Code for Gain {
    /// `&x * 0.5`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let factor = scope.constant(node, "factor", &self.factor);
        let x = scope.reference(input);
        quote!(#x * #factor).into()
    }

    /// `0.5 · x`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        Term::product(format!("{} · {}", constant_text(&self.factor), input.as_factor()))
    }
}
