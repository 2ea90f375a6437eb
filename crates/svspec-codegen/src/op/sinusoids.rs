//! `sinusoids` to a call of the runtime's.

use super::{Code, Emitted, Term, operands};
use crate::literal;
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Sinusoids;
use svspec_ir::op::rope::Layout;
use svspec_ir::{Model, Node, ValueId};

impl Code for Sinusoids {
    /// `nn::sinusoids(tokens, WIDTH, theta, offset, kind)`, in the kind of the parameters.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [tokens] = *operands(&node.inputs);
        let (tokens, width) = (scope.reference(tokens), scope.around.constants.size(&self.width));
        let (theta, offset) = (literal::float(self.theta), literal::integer(self.offset as u64));
        let kind = scope.kind();
        Emitted::Expression(match self.layout {
            Layout::Half => quote!(nn::sinusoids(#tokens, #width, #theta, #offset, #kind)),
            Layout::Interleaved => quote!(nn::sinusoids_interleaved(#tokens, #width, #theta, #offset, #kind)),
        })
    }

    /// `sinusoids(t + 2)`.
    fn equation(&self, _model: &Model, _node: &Node, _inputs: &[Term]) -> Term {
        let offset = if self.offset == 0 { String::new() } else { format!(" + {}", self.offset) };
        Term::atom(format!("sinusoids(t{offset})"))
    }
}
