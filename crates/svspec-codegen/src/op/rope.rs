//! `rope` to a call of the runtime's with a table that the whole forward pass shares.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Rope;
use svspec_ir::op::rope::Layout;
use svspec_ir::{Model, Node, ValueId};

impl Code for Rope {
    /// `nn::rope(&q, rope)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let (x, table) = (scope.reference(input), scope.rope(self));
        Emitted::Expression(match self.layout {
            Layout::Half => quote!(nn::rope(#x, #table)),
            Layout::Interleaved => quote!(nn::rope_interleaved(#x, #table)),
        })
    }

    /// `rope(q)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        Term::atom(format!("rope({})", input.text))
    }
}
