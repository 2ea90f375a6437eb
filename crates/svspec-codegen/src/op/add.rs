//! `add` to an operator.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Add;
use svspec_ir::{Model, Node, ValueId};

impl Code for Add {
    /// `x + &y`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [a, b] = *operands(&node.inputs);
        let (a, b) = (scope.reference(a), scope.reference(b));
        quote!(#a + #b).into()
    }

    /// `x + y`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [a, b] = operands(inputs);
        Term::sum(format!("{} + {}", a.text, b.text))
    }
}
