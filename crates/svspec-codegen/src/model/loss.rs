//! The head and the loss to `fn loss`: of all tokens at once, or of so many at a time.

use super::collected::Collected;
use super::fields::Fields;
use super::region;
use super::scope::Surroundings;
use crate::{literal, print};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeSet;
use svspec_ir::{ParamId, Region, RegionKind, cost};

/// The constant for the tokens of a chunk; nothing where the loss is computed at once.
pub fn definition(around: Surroundings<'_>) -> TokenStream {
    let Some(chunk) = cost::loss_chunk(around.model) else { return TokenStream::new() };
    let chunk = literal::integer(chunk);
    let blank = print::blank();
    let doc = print::docs(["The tokens for which logits are held at once in training."]);
    quote!(#blank #doc pub const LOSS_CHUNK: i64 = #chunk;)
}

/// `fn loss`, whose parameters are `fields` of `self`; of a model whose layers leave something for losses, `losses` too.
pub fn emit(around: Surroundings<'_>, fields: &Fields<'_>) -> TokenStream {
    let regions = around.model.regions.iter().filter(|region| region.kind == RegionKind::Loss);
    let emitted = regions.map(|region| {
        if around.collected.is_needed() {
            several(around, region, fields)
        } else {
            one(around, region, fields)
        }
    });
    quote!(#(#emitted)*)
}

/// `loss` alone.
fn one(around: Surroundings<'_>, region: &Region, fields: &Fields<'_>) -> TokenStream {
    let Parts { targets, before, cross_entropy, .. } = parts(around, region, fields);
    quote! {
        fn loss(&self, tokens_bt: &Tensor, #targets: &Tensor) -> Tensor {
            #before
            #cross_entropy
        }
    }
}

/// `loss` and `losses`.
fn several(around: Surroundings<'_>, region: &Region, fields: &Fields<'_>) -> TokenStream {
    let Parts { targets, before, cross_entropy, values } = parts(around, region, fields);
    let blank = print::blank();
    let side = region.losses.iter().zip(&values).map(|(side, value)| {
        let (name, coefficient) = (&side.name, literal::float(side.coefficient));
        quote!(SideLoss::new(#name, #coefficient, #value))
    });
    let side = quote!(Vec::from([#(#side),*]));
    let loads = around.collected.loads();
    quote! {
        fn loss(&self, tokens_bt: &Tensor, #targets: &Tensor) -> Tensor {
            self.losses(tokens_bt, #targets).cross_entropy
        }
        #blank
        fn losses(&self, tokens_bt: &Tensor, #targets: &Tensor) -> Losses {
            let mut collected = Collected::default();
            #before
            let cross_entropy = #cross_entropy;
            Losses { cross_entropy, side: #side, loads: #loads }
        }
    }
}

/// What the functions are made of.
struct Parts {
    /// The argument with the ids to predict.
    targets: Ident,
    /// The statements from `tokens_bt` to what `cross_entropy` and `values` read.
    before: TokenStream,
    /// An expression.
    cross_entropy: TokenStream,
    /// The variable of each side loss.
    values: Vec<Ident>,
}

fn parts(around: Surroundings<'_>, region: &Region, fields: &Fields<'_>) -> Parts {
    match cost::loss_chunk(around.model) {
        None => at_once(around, region, fields),
        Some(_) => by_chunks(around, region, fields),
    }
}

fn at_once(around: Surroundings<'_>, region: &Region, fields: &Fields<'_>) -> Parts {
    let body = region::body(around, region, fields);
    let (logits, statements) = (&body.argument, &body.statements);
    let taken_apart = Collected::taken_apart(&body.collected);
    let pass = if around.collected.is_needed() {
        quote!(&self.pass(tokens_bt, &mut collected))
    } else {
        quote!(&self.logits(tokens_bt))
    };
    let before = quote! {
        let #logits = #pass;
        #taken_apart
        #statements
    };
    Parts { targets: body.targets, before, cross_entropy: body.result, values: body.side }
}

/// The losses beside the cross-entropy are of all tokens together, and read no logits.
fn by_chunks(around: Surroundings<'_>, region: &Region, fields: &Fields<'_>) -> Parts {
    let of_tokens = region::body(around, &Region { losses: Vec::new(), ..region.clone() }, fields);
    let (logits, targets) = (&of_tokens.argument, &of_tokens.targets);
    let (statements, result) = (&of_tokens.statements, &of_tokens.result);
    let params = read_after_the_stack(around);
    let params = params.iter().filter_map(|param| fields.name(*param)).map(|name| quote!(&self.#name));
    let collected = around.collected.is_needed().then(|| quote!(, &mut collected));
    let mut before = quote! {
        let x_btd = self.stack(tokens_bt #collected);
        let params = [#(#params),*];
    };
    let mut values = Vec::new();
    if let Some(first) = region.losses.first() {
        let of_layers = region::body(around, &Region { output: first.value, ..region.clone() }, fields);
        let (taken_apart, statements) = (Collected::taken_apart(&of_layers.collected), &of_layers.statements);
        before.extend(quote!(#taken_apart #statements));
        values = of_layers.side;
    }
    let cross_entropy = quote! {
        nn::mean_by_chunks(&x_btd, #targets, LOSS_CHUNK, &params, |x_btd, #targets| {
            let #logits = &self.head(x_btd);
            #statements
            #result
        })
    };
    Parts { targets: of_tokens.targets.clone(), before, cross_entropy, values }
}

/// The parameters of the head and the loss, a tied table and those of scale vectors included.
fn read_after_the_stack(around: Surroundings<'_>) -> BTreeSet<ParamId> {
    let model = around.model;
    let is_after = |region: &&Region| matches!(region.kind, RegionKind::Head | RegionKind::Loss);
    let nodes = model.regions.iter().filter(is_after).flat_map(|region| &region.nodes);
    nodes
        .flat_map(|node| {
            let op = node.op.operation();
            let of_scales = op.scales().into_iter().filter_map(|scale| model.scales.get(scale.0));
            let of_scales = of_scales.flat_map(|scale| scale.params.iter().copied());
            op.params().into_iter().chain(of_scales).collect::<Vec<_>>()
        })
        .collect()
}
