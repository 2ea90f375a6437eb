//! `positions` to the first rows of a table.

use super::{Term, path};
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Positions;
use svspec_ir::{Model, ValueId};

/// `nn::positions(&self.pos_weight, tokens, offset)`.
pub fn emit(scope: &Scope<'_>, op: Positions, tokens: ValueId) -> TokenStream {
    let (table, tokens) = (scope.parameter(op.table), scope.reference(tokens));
    let offset = literal::integer(op.offset as u64);
    quote!(nn::positions(&#table, #tokens, #offset))
}

/// `pos.weight[t]`.
pub fn equation(model: &Model, op: Positions) -> Term {
    let offset = if op.offset == 0 { String::new() } else { format!(" + {}", op.offset) };
    Term::atom(format!("{}[t{offset}]", path(model, op.table)))
}
