//! `embed` to a look-up.

use super::{Term, path};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Embed;
use svspec_ir::{Model, ValueId};

/// `nn::embedding(&self.embed_weight, tokens)`.
pub fn emit(scope: &Scope<'_>, op: Embed, tokens: ValueId) -> TokenStream {
    let (table, tokens) = (scope.parameter(op.table), scope.reference(tokens));
    quote!(nn::embedding(&#table, #tokens))
}

/// `embed.weight[tokens]`.
pub fn equation(model: &Model, op: Embed, tokens: &Term) -> Term {
    Term::atom(format!("{}[{}]", path(model, op.table), tokens.text))
}
