//! `bias` to an addition.

use super::{Code, Emitted, Term, operands, path};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Bias;
use svspec_ir::{Model, Node, ValueId};

impl Code for Bias {
    /// `&x + &self.attn_q_bias`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let (x, bias) = (scope.reference(input), scope.parameter(self.param));
        quote!(#x + &#bias).into()
    }

    /// `x + b[attn.q.bias]`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        Term::sum(format!("{} + b[{}]", input.text, path(model, self.param)))
    }
}
