//! `add` to an operator.

use super::normalize::makes_sum;
use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Add;
use svspec_ir::{Model, Node, ValueId};

impl Code for Add {
    /// `x + &y`, unless a norm makes it.
    fn emit(&self, scope: &mut Scope<'_>, id: ValueId, node: &Node) -> Emitted {
        if makes_sum(scope.region, id) {
            return Emitted::Later;
        }
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
