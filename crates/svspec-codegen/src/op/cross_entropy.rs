//! `cross_entropy` to the mean loss.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;

/// `nn::cross_entropy(&logits, targets)`, the mean over all tokens.
pub fn emit(scope: &Scope<'_>, [logits, targets]: [ValueId; 2]) -> TokenStream {
    let (logits, targets) = (scope.reference(logits), scope.reference(targets));
    quote!(nn::cross_entropy(#logits, #targets))
}

/// `mean(cross_entropy(logits, targets))`.
pub fn equation([logits, targets]: [&Term; 2]) -> Term {
    Term::atom(format!("mean(cross_entropy({}, {}))", logits.text, targets.text))
}
