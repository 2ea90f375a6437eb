//! `z_loss` to the runtime's loss over what the layers left.

use super::{Code, Emitted, Term, operands};
use crate::model::{Scope, Variable};
use quote::quote;
use svspec_ir::op::ZLoss;
use svspec_ir::{Model, Node, ValueId};

impl Code for ZLoss {
    /// `nn::z_loss(logits)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [logits] = *operands(&node.inputs);
        let logits = scope.reference(logits);
        Emitted::Known(Variable::Owned(scope.bind(&node.name, &quote!(nn::z_loss(#logits)))))
    }

    /// `z_loss(logits)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [logits] = operands(inputs);
        Term::atom(format!("z_loss({})", logits.text))
    }
}
