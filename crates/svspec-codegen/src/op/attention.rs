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
    /// put together; or `nn::attention_in_documents(…)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [q, _, _] = *operands(&node.inputs);
        let scale = scale(scope, self, node, q);
        let window =
            literal::optional(self.window.as_ref().map(|window| scope.whole(node, "window", window)));
        let cap = literal::optional(self.soft_cap.as_ref().map(|cap| scope.constant(node, "soft_cap", cap)));
        let chunk = self.chunk.as_ref().map(|chunk| scope.whole(node, "chunk", chunk));
        let numbers = Numbers { scale, window, chunk, cap };
        match scope.documents() {
            None => of_sequences(scope, self, node, &numbers),
            Some(documents) => of_documents(scope, self, node, &documents, &numbers),
        }
    }

    /// `attention(q, k, v)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [q, k, v] = operands(inputs);
        Term::atom(format!("attention({}, {}, {})", q.text, k.text, v.text))
    }
}

/// The expressions of the numbers.
struct Numbers {
    scale: TokenStream,
    window: TokenStream,
    chunk: Option<TokenStream>,
    cap: TokenStream,
}

/// Attention over whole sequences, or over chunks as sequences of their own.
fn of_sequences(scope: &mut Scope<'_>, op: &Attention, node: &Node, numbers: &Numbers) -> Emitted {
    let Numbers { scale, window, chunk, cap } = numbers;
    let values = *operands(&node.inputs);
    let [q, k, v] = match chunk {
        None => values.map(|value| scope.reference(value)),
        Some(chunk) => in_chunks(scope, node, values, chunk).map(|name| quote!(&#name)),
    };
    let (bias, sinks) = (bias(scope, op, node, &q), sinks(scope, op));
    let attended = match (bias, sinks) {
        (Some(bias), sinks) => {
            let sinks = literal::optional(sinks);
            quote!(nn::attention_with_bias(#q, #k, #v, #bias, #sinks, #scale, #window, #cap))
        }
        (None, None) => quote!(nn::attention(#q, #k, #v, #scale, #window, #cap)),
        (None, Some(sinks)) => {
            quote!(nn::attention_with_sinks(#q, #k, #v, #sinks, #scale, #window, #cap))
        }
    };
    if chunk.is_none() {
        return attended.into();
    }
    let [whole, _, _] = values.map(|value| scope.reference(value));
    quote!(nn::from_chunks(&#attended, #whole)).into()
}

/// Attention within documents, whose mask has the chunks too.
fn of_documents(
    scope: &mut Scope<'_>,
    op: &Attention,
    node: &Node,
    documents: &Ident,
    numbers: &Numbers,
) -> Emitted {
    let Numbers { scale, window, chunk, cap } = numbers;
    let [q, k, v] = operands(&node.inputs).map(|value| scope.reference(value));
    let (bias, sinks) = (bias(scope, op, node, &q), sinks(scope, op));
    let [bias, sinks, chunk] = [bias, sinks, chunk.clone()].map(literal::optional);
    quote!(nn::attention_in_documents(
        #q, #k, #v, #documents, #bias, #sinks, #scale, #window, #chunk, #cap,
    ))
    .into()
}

/// What is added to the scores.
fn bias(scope: &mut Scope<'_>, op: &Attention, node: &Node, q: &TokenStream) -> Option<TokenStream> {
    let bound = scope.constant(node, "alibi_bound", op.alibi.as_ref()?);
    let [q_id, _, _] = *operands(&node.inputs);
    let num_heads = scope.dims(q_id).first().map(|dim| scope.around.constants.size(dim));
    Some(quote!(&nn::alibi(#num_heads, #bound, #q)))
}

/// The logits of the heads' own.
fn sinks(scope: &Scope<'_>, op: &Attention) -> Option<TokenStream> {
    let sinks = scope.parameter(op.sinks?);
    Some(quote!(&#sinks))
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
