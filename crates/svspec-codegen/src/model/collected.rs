//! What the layers leave beside the residual stream, as a struct that the forward pass fills.

use super::legend::Legend;
use crate::names::Names;
use crate::print;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::{Model, Node, Op, Region, SideId};

/// The struct, if the model needs one.
#[derive(Clone, Debug)]
pub struct Collected {
    /// By side value.
    fields: Vec<Field>,
    has_loads: bool,
}

#[derive(Clone, Debug)]
struct Field {
    name: Ident,
    is_choice: bool,
}

impl Collected {
    /// Of the layers of `model`.
    pub fn of(model: &Model, legend: &Legend) -> Self {
        let mut names = Names::reserving(&["loads"]);
        let field = |(id, name): (usize, &String)| {
            let node = node(model, SideId(id));
            let is_choice = node.is_some_and(|node| matches!(node.op, Op::Choose(_)));
            let suffix = node.map_or(String::new(), |node| legend.suffix(&node.dims));
            let name = if is_choice { name.clone() } else { format!("{name}_{suffix}") };
            Field { name: names.variable(&name), is_choice }
        };
        let fields = model.side_values.iter().enumerate().map(field).collect();
        Self { fields, has_loads: model.regions.iter().any(Region::moves_correction) }
    }

    /// Whether there is anything to collect.
    pub fn is_needed(&self) -> bool {
        self.has_loads || !self.fields.is_empty()
    }

    /// Whether a pass through `region` adds to it.
    pub fn is_filled_by(region: &Region) -> bool {
        region.leaves_more()
    }

    /// The field of a side value.
    pub fn field(&self, id: SideId) -> Option<&Ident> {
        self.fields.get(id.0).map(|field| &field.name)
    }

    /// The struct.
    pub fn definition(&self) -> TokenStream {
        if !self.is_needed() {
            return TokenStream::new();
        }
        let blank = print::blank();
        let doc = print::docs(["What the layers leave for the losses, in the order of the stack."]);
        let fields = self.fields.iter().map(|Field { name, is_choice }| {
            if *is_choice { quote!(#name: Vec<nn::Choice>,) } else { quote!(#name: Vec<Tensor>,) }
        });
        let loads = self.has_loads.then(|| quote!(loads: Vec<Load>,));
        quote! {
            #blank
            #doc
            #[derive(Default)]
            struct Collected { #(#fields)* #loads }
        }
    }

    /// `let name = &collected.name;` for each.
    pub fn taken_apart(names: &[(SideId, Ident)]) -> TokenStream {
        let names = names.iter().map(|(_, name)| name);
        let taken = names.map(|name| quote!(let #name = &collected.#name;));
        quote!(#(#taken)*)
    }

    /// The loads in it, to be moved out.
    pub fn loads(&self) -> TokenStream {
        if self.has_loads { quote!(collected.loads) } else { quote!(Vec::new()) }
    }

    /// Whether it has loads.
    pub fn has_loads(&self) -> bool {
        self.has_loads
    }
}

/// The node that has a side value in some layer.
fn node(model: &Model, id: SideId) -> Option<&Node> {
    model.regions.iter().find_map(|region| {
        let side = region.side.iter().find(|side| side.id == id)?;
        region.nodes.get(side.value.0)
    })
}
