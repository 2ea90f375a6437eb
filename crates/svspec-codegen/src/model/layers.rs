//! The layer kinds to structs with a forward pass each, and the stack that is made of them.

use super::collected::Collected;
use super::fields::Fields;
use super::recompute;
use super::region::{self, Body};
use super::scope::{LayerConstant, Surroundings};
use crate::names::Names;
use crate::{literal, print};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::{Model, Region, RegionId, RegionKind};

/// One layer kind of the model.
#[derive(Debug)]
pub struct Kind<'a> {
    id: RegionId,
    /// Its region.
    pub region: &'a Region,
    /// The struct.
    name: Ident,
    /// The variant of `AnyLayer`.
    variant: Ident,
    fields: Fields<'a>,
    body: Body,
}

/// The kinds that the stack uses, in the order of the regions.
pub fn kinds(around: Surroundings<'_>) -> Vec<Kind<'_>> {
    let mut structs = Names::reserving(&["AnyLayer", "Model", "Params", "LayerParams", "Spec", "Tensor"]);
    let mut variants = Names::default();
    used_kinds(around.model)
        .map(|(id, region)| {
            let fields = Fields::of(around.model, |of| of == id);
            let body = region::body(around, region, &fields);
            let wanted =
                if region.name == "layer" { "layer".to_owned() } else { format!("{}_layer", region.name) };
            Kind {
                id,
                region,
                name: structs.type_name(&wanted),
                variant: variants.type_name(&region.name),
                fields,
                body,
            }
        })
        .collect()
}

fn used_kinds(model: &Model) -> impl Iterator<Item = (RegionId, &Region)> {
    let regions = model.regions.iter().enumerate().map(|(index, region)| (RegionId(index), region));
    regions.filter(|(id, region)| region.kind == RegionKind::Layer && model.stack.contains(id))
}

/// The type of `Model::layers`' elements.
pub fn element_type(kinds: &[Kind<'_>]) -> TokenStream {
    if let [only] = kinds {
        let name = &only.name;
        quote!(#name)
    } else {
        quote!(AnyLayer)
    }
}

/// The items: constants, a struct and a forward pass per kind, and the enum over them if there are several.
pub fn items(around: Surroundings<'_>, kinds: &[Kind<'_>]) -> TokenStream {
    if let [only] = kinds {
        return items_of(around, only, &recompute::again(around, &[only.region]));
    }
    let structs = kinds.iter().map(|kind| items_of(around, kind, &TokenStream::new()));
    let any = if kinds.is_empty() { TokenStream::new() } else { any_layer(around, kinds) };
    quote!(#(#structs)* #any)
}

/// `again`: what the struct's own methods end with.
fn items_of(around: Surroundings<'_>, kind: &Kind<'_>, again: &TokenStream) -> TokenStream {
    let Kind { name, fields, body, region, .. } = kind;
    let blank = print::blank();
    let arrays = body.layer_constants.iter().map(|constant| array(constant, region));
    let doc = print::docs([format!("The parameters of one `{}`.", region.name).as_str()]);
    let declarations = fields.declarations(around.constants);
    let constant_fields = body.layer_constants.iter().map(|LayerConstant { field, number, .. }| {
        let number = number.name();
        quote!(#field: #number,)
    });
    let initialisers = fields.initialisers();
    let constant_values = body.layer_constants.iter().map(|constant| {
        let (field, array) = (&constant.field, array_name(constant, region));
        quote!(#field: #array[index],)
    });
    let index = if body.layer_constants.is_empty() { TokenStream::new() } else { quote!(, index: usize) };
    let params = if fields.is_empty() { quote!(_params) } else { quote!(params) };
    let argument = &body.argument;
    let shared = around.shared.parameters(&[region]);
    let collected = Collected::is_filled_by(region).then(|| quote!(, collected: &mut Collected));
    let (statements, result) = (&body.statements, &body.result);
    quote! {
        #(#arrays)*
        #blank
        #doc
        struct #name { #declarations #(#constant_fields)* }
        #blank
        impl #name {
            fn new(#params: &LayerParams<'_> #index) -> Self {
                Self { #initialisers #(#constant_values)* }
            }
            #blank
            fn forward(&self, #argument: &Tensor #shared #collected) -> Tensor { #statements #result }
            #again
        }
    }
}

fn array(constant: &LayerConstant, region: &Region) -> TokenStream {
    let blank = print::blank();
    let doc = print::docs([format!("`{}` of each layer of the stack.", constant.field).as_str()]);
    let name = array_name(constant, region);
    let number = constant.number.name();
    let values = constant.values.iter().map(|&value| constant.number.literal(value));
    quote!(#blank #doc const #name: [#number; NUM_LAYERS] = [#(#values),*];)
}

fn array_name(constant: &LayerConstant, region: &Region) -> Ident {
    Names::default().constant(&format!("{}_{}", region.name, constant.field))
}

/// The enum over several kinds, which knows the kind at each depth.
fn any_layer(around: Surroundings<'_>, kinds: &[Kind<'_>]) -> TokenStream {
    let blank = print::blank();
    let doc = print::docs(["A layer of any kind."]);
    let variants = kinds.iter().map(|Kind { name, variant, .. }| quote!(#variant(Box<#name>),));
    let new_arms = new_arms(around.model, kinds);
    let new_doc = print::docs(["The layer at depth `index`."]);
    let regions: Vec<&Region> = kinds.iter().map(|kind| kind.region).collect();
    let shared = around.shared.parameters(&regions);
    let again = recompute::again(around, &regions);
    let arms = kinds.iter().map(|kind| {
        let (variant, shared) = (&kind.variant, around.shared.handed_on(&[kind.region]));
        let collected = Collected::is_filled_by(kind.region).then(|| quote!(, collected));
        quote!(Self::#variant(layer) => layer.forward(x_btd #shared #collected),)
    });
    let collected = around.collected.is_needed().then(|| quote!(, collected: &mut Collected));
    quote! {
        #blank
        #doc
        enum AnyLayer { #(#variants)* }
        #blank
        impl AnyLayer {
            #new_doc
            fn new(params: &LayerParams<'_>, index: usize) -> Self {
                match index { #new_arms }
            }
            #blank
            fn forward(&self, x_btd: &Tensor #shared #collected) -> Tensor {
                match self { #(#arms)* }
            }
            #again
        }
    }
}

/// An arm per kind with the depths at which it stands; the last kind takes the rest.
fn new_arms(model: &Model, kinds: &[Kind<'_>]) -> TokenStream {
    let last = kinds.last().map(|kind| kind.id);
    let arms = kinds.iter().map(|kind| {
        let (name, variant) = (&kind.name, &kind.variant);
        let index = index_argument(kind);
        let depths = model.stack.iter().enumerate().filter(|(_, id)| **id == kind.id);
        let depths = depths.map(|(depth, _)| literal::integer(depth as u64));
        let pattern = if Some(kind.id) == last { quote!(_) } else { quote!(#(#depths)|*) };
        quote!(#pattern => Self::#variant(Box::new(#name::new(params #index))),)
    });
    quote!(#(#arms)*)
}

/// `, index` where the layer holds constants of its depth.
fn index_argument(kind: &Kind<'_>) -> TokenStream {
    if kind.body.layer_constants.is_empty() { TokenStream::new() } else { quote!(, index) }
}

/// The expression that makes the layer at `index` of `params`.
pub fn new(kinds: &[Kind<'_>], params: &TokenStream) -> TokenStream {
    if let [only] = kinds {
        let (name, index) = (&only.name, index_argument(only));
        quote!(#name::new(#params #index))
    } else {
        quote!(AnyLayer::new(#params, index))
    }
}
