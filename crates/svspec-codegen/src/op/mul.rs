//! `mul` to an operator.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Mul;
use svspec_ir::{Model, Node, ValueId};

impl Code for Mul {
    /// `&x * &y`; a value of fewer dimensions gets them first.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [a, b] = *operands(&node.inputs);
        let num_dims = scope.dims(a).len().max(scope.dims(b).len());
        let [a, b] = [a, b].map(|side| {
            let missing = num_dims - scope.dims(side).len();
            if missing == 0 {
                return scope.reference(side);
            }
            let (x, unsqueezes) =
                (scope.receiver(side), std::iter::repeat_n(quote!(.unsqueeze(-1)), missing));
            quote!(#x #(#unsqueezes)*)
        });
        quote!(#a * #b).into()
    }

    /// `x ⊙ y`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [a, b] = operands(inputs);
        Term::product(format!("{} ⊙ {}", a.as_factor(), b.as_factor()))
    }
}
