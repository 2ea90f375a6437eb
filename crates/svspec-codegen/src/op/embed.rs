//! `embed` to a look-up.

use super::{Code, Emitted, Term, operands, path};
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::Embed;
use svspec_ir::{Model, Node, ValueId};

impl Code for Embed {
    /// `nn::embedding(&self.embed_weight, tokens)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [tokens] = *operands(&node.inputs);
        let (table, tokens) = (scope.parameter(self.table), scope.reference(tokens));
        quote!(nn::embedding(&#table, #tokens)).into()
    }

    /// `embed.weight[tokens]`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [tokens] = operands(inputs);
        Term::atom(format!("{}[{}]", path(model, self.table), tokens.text))
    }
}
