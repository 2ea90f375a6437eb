//! `attention` to a call of the runtime's.

use super::{Code, Emitted, Term, operands};
use crate::literal;
use crate::model::Scope;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::op::Attention;
use svspec_ir::{Dim, Model, Node, ValueId};

impl Code for Attention {
    /// `nn::attention(&q, &k, &v, scale, window, cap)`, or with what else takes part in the softmax; of chunks, their context
    /// put together.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [q, k, v] = *operands(&node.inputs);
        let scale = scale(scope, self, node, q);
        let window =
            literal::optional(self.window.as_ref().map(|window| scope.whole(node, "window", window)));
        let cap = literal::optional(self.soft_cap.as_ref().map(|cap| scope.constant(node, "soft_cap", cap)));
        let chunk = self.chunk.as_ref().map(|chunk| scope.whole(node, "chunk", chunk));
        let num_heads =
            scope.dims(q).first().map_or_else(|| literal::integer(1), |dim| scope.around.constants.size(dim));
        let whole = q;
        let [q, k, v] = match &chunk {
            None => [q, k, v].map(|value| scope.reference(value)),
            Some(chunk) => in_chunks(scope, node, [q, k, v], chunk).map(|name| quote!(&#name)),
        };
        let attended = match (&self.alibi, self.sinks) {
            (Some(bound), sinks) => {
                let bound = scope.constant(node, "alibi_bound", bound);
                let bias = quote!(&nn::alibi(#num_heads, #bound, #q));
                let sinks = literal::optional(sinks.map(|sinks| {
                    let sinks = scope.parameter(sinks);
                    quote!(&#sinks)
                }));
                quote!(nn::attention_with_bias(#q, #k, #v, #bias, #sinks, #scale, #window, #cap))
            }
            (None, None) => quote!(nn::attention(#q, #k, #v, #scale, #window, #cap)),
            (None, Some(sinks)) => {
                let sinks = scope.parameter(sinks);
                quote!(nn::attention_with_sinks(#q, #k, #v, &#sinks, #scale, #window, #cap))
            }
        };
        if chunk.is_none() {
            return attended.into();
        }
        let whole = scope.reference(whole);
        quote!(nn::from_chunks(&#attended, #whole)).into()
    }

    /// `attention(q, k, v)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [q, k, v] = operands(inputs);
        Term::atom(format!("attention({}, {}, {})", q.text, k.text, v.text))
    }
}

/// `let [q, k, v] = nn::in_chunks([&q, &k, &v], chunk);`
fn in_chunks(scope: &mut Scope<'_>, node: &Node, values: [ValueId; 3], chunk: &TokenStream) -> [Ident; 3] {
    let given = values.map(|value| scope.reference(value));
    let name = node.name.trim_end_matches("_context");
    let names = ["q", "k", "v"].map(|of| scope.bare_variable(&format!("{name}_{of}_chunks")));
    scope.statements.push(quote!(let [#(#names),*] = nn::in_chunks([#(#given),*], #chunk);));
    names
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
