//! `cross_entropy` to the mean loss.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::CrossEntropy;
use svspec_ir::{Model, Node, ValueId};

impl Code for CrossEntropy {
    /// `nn::cross_entropy(&logits, targets)`, the mean over all tokens.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [logits, targets] = *operands(&node.inputs);
        let (logits, targets) = (scope.reference(logits), scope.reference(targets));
        quote!(nn::cross_entropy(#logits, #targets)).into()
    }

    /// `mean(cross_entropy(logits, targets))`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [logits, targets] = operands(inputs);
        Term::atom(format!("mean(cross_entropy({}, {}))", logits.text, targets.text))
    }
}
