//! `choose` to the runtime's choice of experts, which the other ops of a mixture share.

use super::{Emitted, Term};
use crate::model::{Scope, Variable};
use quote::quote;
use svspec_ir::op::Choose;
use svspec_ir::{Node, ValueId};

/// `let experts_chosen = nn::Choice::largest(&logits, NUM_CHOSEN);`.
pub fn emit(scope: &mut Scope<'_>, node: &Node, scores: ValueId) -> Emitted {
    let num_chosen = scope.around.constants.product(&node.dims);
    let scores = scope.reference(scores);
    let name = scope.bind(&node.name, &quote!(nn::Choice::largest(#scores, #num_chosen)));
    Emitted::Known(Variable::Owned(name))
}

/// `top_2(logits)`.
pub fn equation(op: Choose, scores: &Term) -> Term {
    Term::atom(format!("top_{}({})", op.num_chosen, scores.text))
}
