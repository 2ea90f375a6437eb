//! `positions` to the first rows of a table.

use super::{Code, Emitted, Term, operands, path};
use crate::literal;
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Positions;
use svspec_ir::{Model, Node, ValueId};

impl Code for Positions {
    /// `nn::positions(&self.pos_weight, tokens, offset)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [tokens] = *operands(&node.inputs);
        let (table, tokens) = (scope.parameter(self.table), scope.reference(tokens));
        let offset = literal::integer(self.offset as u64);
        match scope.documents() {
            None => quote!(nn::positions(&#table, #tokens, #offset)).into(),
            Some(documents) => quote!(#documents.positions(&#table, #offset)).into(),
        }
    }

    /// `pos.weight[t]`.
    fn equation(&self, model: &Model, _node: &Node, _inputs: &[Term]) -> Term {
        let offset = if self.offset == 0 { String::new() } else { format!(" + {}", self.offset) };
        Term::atom(format!("{}[t{offset}]", path(model, self.table)))
    }
}
