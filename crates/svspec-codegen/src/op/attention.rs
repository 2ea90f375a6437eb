//! `attention` to a call of the runtime's.

use super::Term;
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::Attention;

/// `nn::attention(&q, &k, &v, scale, window, cap)`.
pub fn emit(scope: &mut Scope<'_>, op: &Attention, [q, k, v]: [ValueId; 3]) -> TokenStream {
    let scale = scale(scope, op, q);
    let window = literal::optional(op.window.map(|window| literal::integer(window as u64)));
    let cap = literal::optional(op.soft_cap.map(literal::float));
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
fn scale(scope: &Scope<'_>, op: &Attention, q: ValueId) -> TokenStream {
    let head_dim = scope.dims(q).last();
    let usual = head_dim.filter(|dim| (dim.size as f64).sqrt().recip().to_bits() == op.scale.to_bits());
    match usual.and_then(|dim| scope.around.constants.name(dim)) {
        Some(head_dim) => quote!((#head_dim as f64).sqrt().recip()),
        None => literal::float(op.scale),
    }
}

/// `attention(q, k, v)`.
pub fn equation([q, k, v]: [&Term; 3]) -> Term {
    Term::atom(format!("attention({}, {}, {})", q.text, k.text, v.text))
}
