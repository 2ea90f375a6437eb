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
        let of_sequence = match self.layout {
            Layout::Half => quote!(nn::sinusoids(#tokens, #width, #theta, #offset, #kind)),
            Layout::Interleaved => quote!(nn::sinusoids_interleaved(#tokens, #width, #theta, #offset, #kind)),
        };
        match scope.documents() {
            None => of_sequence.into(),
            Some(documents) => {
                let name = scope.variable(&format!("{}_of_sequence", node.name), &node.dims);
                scope.statements.push(quote!(let #name = #of_sequence;));
                quote!(#documents.by_position(&#name)).into()
            }
        }
    }

    /// `sinusoids(t + 2)`.
    fn equation(&self, _model: &Model, _node: &Node, _inputs: &[Term]) -> Term {
        let offset = if self.offset == 0 { String::new() } else { format!(" + {}", self.offset) };
        Term::atom(format!("sinusoids(t{offset})"))
    }
}
