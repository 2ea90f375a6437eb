//! `attention` to a call of the runtime's.

use super::Term;
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Attention;
use svspec_ir::{Dim, Node, ValueId};

/// `nn::attention(&q, &k, &v, scale, window, cap)`.
pub fn emit(scope: &mut Scope<'_>, op: &Attention, node: &Node, [q, k, v]: [ValueId; 3]) -> TokenStream {
    let scale = scale(scope, op, node, q);
    let window = literal::optional(op.window.as_ref().map(|window| scope.whole(node, "window", window)));
    let cap = literal::optional(op.soft_cap.as_ref().map(|cap| scope.constant(node, "soft_cap", cap)));
    let (q, k, v) = (scope.reference(q), scope.reference(k), scope.reference(v));
    match op.sinks {
        None => quote!(nn::attention(#q, #k, #v, #scale, #window, #cap)),
        Some(sinks) => {
            let sinks = scope.parameter(sinks);
            quote!(nn::attention_with_sinks(#q, #k, #v, &#sinks, #scale, #window, #cap))
        }
    }
}

/// The usual scale is written as what it is, where that gives the same bits.
fn scale(scope: &mut Scope<'_>, op: &Attention, node: &Node, q: ValueId) -> TokenStream {
    let head_dim = scope.dims(q).last();
    let is_usual = |dim: &&Dim| {
        let usual = (dim.size as f64).sqrt().recip();
        op.scale.uniform().is_some_and(|scale| scale.to_bits() == usual.to_bits())
    };
    let usual = head_dim.filter(is_usual);
    match usual.and_then(|dim| scope.around.constants.name(dim)) {
        Some(head_dim) => quote!((#head_dim as f64).sqrt().recip()),
        None => scope.constant(node, "scale", &op.scale),
    }
}

/// `attention(q, k, v)`.
pub fn equation([q, k, v]: [&Term; 3]) -> Term {
    Term::atom(format!("attention({}, {}, {})", q.text, k.text, v.text))
}
