//! `balance` to the runtime's loss over what the layers left.

use super::route::scores;
use super::{Emitted, Term};
use crate::model::{Scope, Variable};
use quote::quote;
use svspec_ir::op::{Balance, Over};
use svspec_ir::{Node, ValueId};

/// `nn::balance_loss(logits, chosen, nn::Scores::Softmax, nn::Over::AllLayers)`.
pub fn emit(scope: &mut Scope<'_>, op: Balance, node: &Node, [logits, chosen]: [ValueId; 2]) -> Emitted {
    let (logits, chosen) = (scope.reference(logits), scope.reference(chosen));
    let scores = scores(op.scores);
    let over = match op.over {
        Over::All => quote!(AllLayers),
        Over::Layer => quote!(EachLayer),
        Over::Sequence => quote!(EachSequence),
    };
    let loss = quote!(nn::balance_loss(#logits, #chosen, #scores, nn::Over::#over));
    Emitted::Known(Variable::Owned(scope.bind(&node.name, &loss)))
}

/// `balance(logits, chosen)`.
pub fn equation([logits, chosen]: [&Term; 2]) -> Term {
    Term::atom(format!("balance({}, {})", logits.text, chosen.text))
}
