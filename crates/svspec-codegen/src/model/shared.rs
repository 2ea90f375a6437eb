//! What the whole forward pass shares and its functions are handed: rotary tables, and where documents lie.

use super::ropes::Ropes;
use crate::names::Names;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use svspec_ir::op::rope::Angles;
use svspec_ir::{Model, Region};

/// The name of the documents wherever they are handed on.
const DOCUMENTS: &str = "documents";

/// What a model shares.
#[derive(Clone, Debug)]
pub struct Shared {
    ropes: Ropes,
    /// Whether no token sees one of another document.
    has_documents: bool,
}

impl Shared {
    /// What the regions of `model` share.
    pub fn of(model: &Model) -> Self {
        Self { ropes: Ropes::of(model), has_documents: model.document_end.is_some() }
    }

    /// The variable of the table for `angles`.
    pub fn rope(&self, angles: &Angles) -> &Ident {
        self.ropes.name(angles)
    }

    /// The variable of the documents, if the model has them apart.
    pub fn documents(&self) -> Option<Ident> {
        self.has_documents.then(|| format_ident!("{DOCUMENTS}"))
    }

    /// The names of all of it, which no other variable may have.
    pub fn reserved_names(&self) -> Names {
        let documents = self.has_documents.then(|| DOCUMENTS.to_owned());
        let names: Vec<String> = self.ropes.all_names().chain(documents).collect();
        Names::reserving(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `, documents: &nn::Documents, rope: &nn::Rope`: what `regions` use.
    pub fn parameters(&self, regions: &[&Region]) -> TokenStream {
        let documents = self.documents_of(regions).map(|name| quote!(, #name: &nn::Documents));
        let ropes = self.ropes.names(regions);
        quote!(#documents #(, #ropes: &nn::Rope)*)
    }

    /// `, documents, rope`, inside a function that was given them.
    pub fn handed_on(&self, regions: &[&Region]) -> TokenStream {
        let documents = self.documents_of(regions).map(|name| quote!(, #name));
        let ropes = self.ropes.names(regions);
        quote!(#documents #(, #ropes)*)
    }

    /// `, &documents, &rope`, or `&ropes[index]` in a loop over the layers.
    pub fn arguments(&self, regions: &[&Region]) -> TokenStream {
        let documents = self.documents_of(regions).map(|name| quote!(, &#name));
        let ropes = self.ropes.arguments(regions);
        quote!(#documents #(, #ropes)*)
    }

    /// The same as one value that a layer can keep: `()`, `[&rope]`, `&documents` or `(&documents, [&rope])`.
    pub fn listed(&self, regions: &[&Region]) -> TokenStream {
        let ropes = self.ropes.arguments(regions);
        match (self.documents_of(regions), ropes.is_empty()) {
            (None, true) => quote!(()),
            (None, false) => quote!([#(#ropes),*]),
            (Some(documents), true) => quote!(&#documents),
            (Some(documents), false) => quote!((&#documents, [#(#ropes),*])),
        }
    }

    /// Such a value as a function's parameter, taken apart: `[rope]: &[nn::Rope; 1]`.
    pub fn kept_parameter(&self, regions: &[&Region]) -> TokenStream {
        let (names, count) = (self.ropes.names(regions), self.ropes.count(regions));
        match (self.documents_of(regions), names.is_empty()) {
            (None, true) => quote!((): &()),
            (None, false) => quote!([#(#names),*]: &[nn::Rope; #count]),
            (Some(documents), true) => quote!(#documents: &nn::Documents),
            (Some(documents), false) => {
                quote!((#documents, [#(#names),*]): &(nn::Documents, [nn::Rope; #count]))
            }
        }
    }

    /// Whether some of it differs from layer to layer.
    pub fn differ(&self) -> bool {
        self.ropes.differ()
    }

    /// The statements that make it of `tokens_bt`; `like` gives kind and device.
    pub fn definitions(&self, model: &Model, like: &TokenStream) -> TokenStream {
        let regions: Vec<&Region> = model.regions.iter().collect();
        let documents = self.documents_of(&regions);
        let documents =
            documents.map(|name| quote!(let #name = nn::Documents::new(tokens_bt, DOCUMENT_END);));
        let num_tokens = (!self.ropes.is_empty())
            .then(|| quote!(let num_tokens = tokens_bt.size2().expect("tokens are [b, t]").1;));
        let ropes = self.ropes.definitions(&quote!(num_tokens), like);
        quote!(#documents #num_tokens #ropes)
    }

    /// The documents, if one of `regions` reads them.
    fn documents_of(&self, regions: &[&Region]) -> Option<Ident> {
        let mut nodes = regions.iter().flat_map(|region| &region.nodes);
        self.documents().filter(|_| nodes.any(|node| node.op.operation().stays_within_documents()))
    }
}
