//! The named dimensions of a model as Rust constants, and shapes written with them.

use crate::names::Names;
use crate::{literal, print};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::{Dim, Model};

/// A constant per dimension.
#[derive(Clone, Debug)]
pub struct Constants {
    dims: Vec<(Dim, Ident)>,
    context: u64,
    num_layers: u64,
    document_end: Option<u64>,
}

impl Constants {
    /// The dimensions of `model` as lowered, before any rewrite: vocabulary and width first, then as they appear.
    pub fn of(model: &Model) -> Self {
        let values = model.regions.iter().flat_map(|region| region.nodes.iter().flat_map(|node| &node.dims));
        let params = model.params.iter().flat_map(|param| &param.dims);
        let mut dims: Vec<Dim> = vec![Dim::new("vocab", model.vocab), Dim::new("width", model.width)];
        for dim in params.chain(values).filter(|dim| dim.size > 1) {
            if !dims.contains(dim) {
                dims.push(dim.clone());
            }
        }
        let mut names = Names::reserving(&["CONTEXT", "NUM_LAYERS", "DOCUMENT_END"]);
        let named = dims
            .iter()
            .map(|dim| {
                let name = constant_name(&dim.name);
                let is_shared = dims.iter().filter(|other| other.name == dim.name).count() > 1;
                let wanted = if is_shared { format!("{name}_{}", dim.size) } else { name };
                (dim.clone(), names.constant(&wanted))
            })
            .collect();
        Self {
            dims: named,
            context: model.context as u64,
            num_layers: model.stack.len() as u64,
            document_end: model.document_end.map(|token| token as u64),
        }
    }

    /// The definitions, one documented constant each.
    pub fn definitions(&self) -> TokenStream {
        let context =
            definition("The longest sequence that is trained on.", &quote!(CONTEXT: i64), self.context);
        let num_layers = definition("The depth of the stack.", &quote!(NUM_LAYERS: usize), self.num_layers);
        let dims = self
            .dims
            .iter()
            .map(|(dim, name)| definition(&meaning(&dim.name), &quote!(#name: i64), dim.size as u64));
        let about = "The token that ends a document: no token sees one of another document.";
        let document_end =
            self.document_end.map(|token| definition(about, &quote!(DOCUMENT_END: i64), token));
        quote!(#context #num_layers #(#dims)* #document_end)
    }

    /// The constant of `dim`, or its size where it has none.
    pub fn size(&self, dim: &Dim) -> TokenStream {
        match self.name(dim) {
            Some(name) => quote!(#name),
            None => literal::integer(dim.size as u64),
        }
    }

    /// The constant of `dim`, if it has one.
    pub fn name(&self, dim: &Dim) -> Option<&Ident> {
        self.dims.iter().find(|(named, _)| named == dim).map(|(_, name)| name)
    }

    /// The number of entries of `dims`, as a product of constants.
    pub fn product(&self, dims: &[Dim]) -> TokenStream {
        let sizes = dims.iter().filter(|dim| dim.size != 1).map(|dim| self.size(dim));
        sizes.reduce(|product, size| quote!(#product * #size)).unwrap_or_else(|| quote!(1))
    }

    /// `[NUM_HEADS, HEAD_DIM, WIDTH]`, without the brackets.
    pub fn shape(&self, dims: &[Dim]) -> TokenStream {
        let sizes = dims.iter().map(|dim| self.size(dim));
        quote!(#(#sizes),*)
    }

    /// The same as text for a comment, brackets included.
    pub fn shape_text(&self, dims: &[Dim]) -> String {
        if dims.is_empty() {
            return "A scalar.".to_owned();
        }
        let sizes: Vec<String> = dims.iter().map(|dim| self.size(dim).to_string()).collect();
        format!("`[{}]`", sizes.join(", "))
    }
}

fn definition(doc: &str, name: &TokenStream, value: u64) -> TokenStream {
    let doc = print::docs([doc]);
    let value = literal::integer(value);
    quote!(#doc pub const #name = #value;)
}

/// Counts start with `NUM_`.
fn constant_name(dim: &str) -> String {
    match dim {
        "heads" => "NUM_HEADS".to_owned(),
        "kv_heads" => "NUM_KV_HEADS".to_owned(),
        "experts" => "NUM_EXPERTS".to_owned(),
        "chosen" => "NUM_CHOSEN".to_owned(),
        other => other.to_uppercase(),
    }
}

fn meaning(dim: &str) -> String {
    match dim {
        "vocab" => "The number of token ids.".to_owned(),
        "width" => "The width of the residual stream.".to_owned(),
        "heads" => "The number of attention heads.".to_owned(),
        "kv_heads" => "The number of key-value heads.".to_owned(),
        "head_dim" => "The width of one head.".to_owned(),
        "hidden" => "The width between the projections of a feed-forward part.".to_owned(),
        "experts" => "The number of experts.".to_owned(),
        "chosen" => "The number of experts that each token is given to.".to_owned(),
        other => format!("The size of `{other}`."),
    }
}
