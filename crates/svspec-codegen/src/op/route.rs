//! `route` to a method of the choice.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::{Gating, Route};

/// `chosen.softmax_of_chosen(&logits)`.
pub fn emit(scope: &Scope<'_>, op: Route, [logits, chosen]: [ValueId; 2]) -> TokenStream {
    let (logits, chosen) = (scope.reference(logits), scope.receiver(chosen));
    match op.gating {
        Gating::Softmax => quote!(#chosen.softmax(#logits)),
        Gating::SoftmaxOfChosen => quote!(#chosen.softmax_of_chosen(#logits)),
        Gating::Sigmoid => quote!(#chosen.sigmoid(#logits)),
        Gating::SigmoidNormalized => quote!(#chosen.sigmoid_normalized(#logits)),
    }
}

/// `softmax(logits[chosen])`.
pub fn equation(op: Route, [logits, chosen]: [&Term; 2]) -> Term {
    let (logits, chosen) = (logits.as_argument(), &chosen.text);
    Term::atom(match op.gating {
        Gating::Softmax => format!("softmax({logits})[{chosen}]"),
        Gating::SoftmaxOfChosen => format!("softmax({logits}[{chosen}])"),
        Gating::Sigmoid => format!("sigmoid({logits}[{chosen}])"),
        Gating::SigmoidNormalized => format!("sigmoid({logits}[{chosen}]) / Σ"),
    })
}
