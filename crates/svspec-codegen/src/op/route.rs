//! `route` to a method of the choice.

use super::{Code, Emitted, Term, operands};
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::{Route, Scores};
use svspec_ir::{Model, Node, ValueId};

impl Code for Route {
    /// `chosen.softmax_of_chosen(&logits)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [logits, chosen] = *operands(&node.inputs);
        let (logits, chosen) = (scope.reference(logits), scope.receiver(chosen));
        Emitted::Expression(match (self.scores, self.normalized.map(literal::float)) {
            (Scores::Softmax, None) => quote!(#chosen.softmax(#logits)),
            (Scores::Softmax, Some(_)) if self.is_softmax_of_chosen() => {
                quote!(#chosen.softmax_of_chosen(#logits))
            }
            (Scores::Softmax, Some(eps)) => quote!(#chosen.softmax_normalized(#logits, #eps)),
            (Scores::Sigmoid, None) => quote!(#chosen.sigmoid(#logits)),
            (Scores::Sigmoid, Some(eps)) => quote!(#chosen.sigmoid_normalized(#logits, #eps)),
        })
    }

    /// `softmax(logits[chosen])`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [logits, chosen] = operands(inputs);
        let (logits, chosen) = (logits.as_argument(), &chosen.text);
        Term::atom(match (self.scores, self.normalized) {
            (Scores::Softmax, None) => format!("softmax({logits})[{chosen}]"),
            (Scores::Softmax, Some(_)) if self.is_softmax_of_chosen() => {
                format!("softmax({logits}[{chosen}])")
            }
            (Scores::Softmax, Some(eps)) => format!("softmax({logits})[{chosen}] / (Σ + {eps:e})"),
            (Scores::Sigmoid, None) => format!("sigmoid({logits}[{chosen}])"),
            (Scores::Sigmoid, Some(0.0)) => format!("sigmoid({logits}[{chosen}]) / Σ"),
            (Scores::Sigmoid, Some(eps)) => format!("sigmoid({logits}[{chosen}]) / (Σ + {eps:e})"),
        })
    }
}

/// `nn::Scores::Softmax`
pub fn scores(scores: Scores) -> TokenStream {
    match scores {
        Scores::Softmax => quote!(nn::Scores::Softmax),
        Scores::Sigmoid => quote!(nn::Scores::Sigmoid),
    }
}
