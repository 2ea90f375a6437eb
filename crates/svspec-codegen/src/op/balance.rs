//! `balance` to the runtime's loss over what the layers left.

use super::route::scores;
use super::{Code, Emitted, Term, operands};
use crate::model::{Scope, Variable};
use quote::quote;
use svspec_ir::op::{Balance, Over};
use svspec_ir::{Model, Node, ValueId};

impl Code for Balance {
    /// `nn::balance_loss(logits, chosen, nn::Scores::Softmax, nn::Over::AllLayers)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [logits, chosen] = *operands(&node.inputs);
        let (logits, chosen) = (scope.reference(logits), scope.reference(chosen));
        let scores = scores(self.scores);
        let over = match self.over {
            Over::All => quote!(AllLayers),
            Over::Layer => quote!(EachLayer),
            Over::Sequence => quote!(EachSequence),
        };
        let loss = quote!(nn::balance_loss(#logits, #chosen, #scores, nn::Over::#over));
        Emitted::Known(Variable::Owned(scope.bind(&node.name, &loss)))
    }

    /// `balance(logits, chosen)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [logits, chosen] = operands(inputs);
        Term::atom(format!("balance({}, {})", logits.text, chosen.text))
    }
}
