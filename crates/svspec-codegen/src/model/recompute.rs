//! The layers whose activations the backward pass computes again: how the stack holds and calls its layers.

use super::layers::{self, Kind};
use super::scope::Surroundings;
use crate::{literal, print};
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::{Model, Region, cost};

/// Whether any layer is.
fn is_used(model: &Model) -> bool {
    (0..model.stack.len()).any(|depth| cost::is_recomputed(model, depth))
}

/// How many are, if they are the first ones and not all.
fn first(model: &Model) -> Option<u64> {
    let num_layers = model.stack.len();
    let count = (0..num_layers).take_while(|&depth| cost::is_recomputed(model, depth)).count();
    let rest = (count..num_layers).any(|depth| cost::is_recomputed(model, depth));
    (0 < count && count < num_layers && !rest).then_some(count as u64)
}

/// The constant for how many there are; nothing if none is, or all are, or they stand among others.
pub fn definition(model: &Model) -> TokenStream {
    let Some(count) = first(model) else { return TokenStream::new() };
    let count = literal::integer(count);
    let blank = print::blank();
    let doc = print::docs([
        "The layers, from the first on, of which only the input is kept; the backward pass computes the rest again.",
    ]);
    quote!(#blank #doc pub const NUM_RECOMPUTED: usize = #count;)
}

/// The type of `Model::layers`' elements.
pub fn element_type(model: &Model, kinds: &[Kind<'_>]) -> TokenStream {
    let layer = layers::element_type(kinds);
    if is_used(model) { quote!(nn::Stacked<#layer>) } else { layer }
}

/// The expression that makes all layers.
pub fn construction(model: &Model, kinds: &[Kind<'_>]) -> TokenStream {
    if !is_used(model) {
        let new = layers::new(kinds, &quote!(&params.layer(index)));
        return quote!((0..NUM_LAYERS).map(|index| #new).collect());
    }
    let new = layers::new(kinds, &quote!(&params));
    let recomputed = (0..model.stack.len()).filter(|&depth| cost::is_recomputed(model, depth));
    let keeps = if first(model).is_some() {
        quote!(if index < NUM_RECOMPUTED { nn::Keeps::Input } else { nn::Keeps::Values })
    } else if recomputed.clone().count() == model.stack.len() {
        quote!(nn::Keeps::Input)
    } else {
        let depths = recomputed.map(|depth| literal::integer(depth as u64));
        quote!(if [#(#depths),*].contains(&index) { nn::Keeps::Input } else { nn::Keeps::Values })
    };
    quote! {
        (0..NUM_LAYERS)
            .map(|index| {
                let params = params.layer(index);
                nn::Stacked::new(#new, &params, #keeps)
            })
            .collect()
    }
}

/// The statements that pass `x_btd` through `layer`.
pub fn pass(around: Surroundings<'_>, kinds: &[Kind<'_>]) -> TokenStream {
    let regions: Vec<&Region> = kinds.iter().map(|kind| kind.region).collect();
    let shared = around.shared;
    let (arguments, is_collected) = (shared.arguments(&regions), around.collected.is_needed());
    let collected = is_collected.then(|| quote!(, collected));
    if !is_used(around.model) {
        return quote!(x_btd = layer.forward(&x_btd #arguments #collected););
    }
    let (layer, listed) = (layers::element_type(kinds), shared.listed(&regions));
    let again = quote!(layer.forward(&x_btd, #listed, #layer::again));
    if !is_collected {
        return quote!(x_btd = #again;);
    }
    // What leaves something for the losses is not passed twice, so that it leaves it once.
    quote! {
        x_btd = match layer.kept() {
            Some(layer) => layer.forward(&x_btd #arguments, collected),
            None => #again,
        };
    }
}

/// The forward pass of a layer with parts of these regions, in the form that the backward pass calls again.
pub fn again(around: Surroundings<'_>, regions: &[&Region]) -> TokenStream {
    if !is_used(around.model) {
        return TokenStream::new();
    }
    let shared = around.shared;
    let (blank, doc) =
        (print::blank(), print::docs(["The same, as it is called again in the backward pass."]));
    let (parameter, arguments) = (shared.kept_parameter(regions), shared.handed_on(regions));
    let collected = around.collected.is_needed().then(|| quote!(, &mut Collected::default()));
    quote! {
        #blank
        #doc
        fn again(&self, x_btd: &Tensor, #parameter) -> Tensor {
            self.forward(x_btd #arguments #collected)
        }
    }
}
