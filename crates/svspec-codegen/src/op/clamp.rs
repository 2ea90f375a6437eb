//! `clamp` to a call of the runtime's.

use super::{Code, Emitted, Term, constant_text, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Clamp;
use svspec_ir::{Model, Node, ValueId};

impl Code for Clamp {
    /// `nn::clamp(&x, low, high)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let (low, high) = (scope.constant(node, "low", &self.low), scope.constant(node, "high", &self.high));
        let x = scope.reference(input);
        quote!(nn::clamp(#x, #low, #high)).into()
    }

    /// `clamp(x, -8, 8)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        let (low, high) = (constant_text(&self.low), constant_text(&self.high));
        Term::atom(format!("clamp({}, {low}, {high})", input.text))
    }
}
