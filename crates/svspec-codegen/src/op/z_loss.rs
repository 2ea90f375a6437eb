//! `z_loss` to the runtime's loss over what the layers left.

use super::{Emitted, Term};
use crate::model::{Scope, Variable};
use quote::quote;
use svspec_ir::{Node, ValueId};

/// `nn::z_loss(logits)`.
pub fn emit(scope: &mut Scope<'_>, node: &Node, logits: ValueId) -> Emitted {
    let logits = scope.reference(logits);
    Emitted::Known(Variable::Owned(scope.bind(&node.name, &quote!(nn::z_loss(#logits)))))
}

/// `z_loss(logits)`.
pub fn equation(logits: &Term) -> Term {
    Term::atom(format!("z_loss({})", logits.text))
}
