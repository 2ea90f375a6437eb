//! The rotary tables of a model: one for each base and width, computed once per forward pass.

use crate::literal;
use crate::names::Names;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::op::Rope;
use svspec_ir::{Model, Op, Region};

/// The distinct tables, in the order of their first use.
#[derive(Clone, Debug)]
pub struct Ropes {
    tables: Vec<(Rope, Ident)>,
}

impl Ropes {
    /// The tables of all regions of `model`.
    pub fn of(model: &Model) -> Self {
        let mut distinct: Vec<Rope> = Vec::new();
        for rope in model.regions.iter().flat_map(used) {
            if !distinct.contains(&rope) {
                distinct.push(rope);
            }
        }
        let mut names = Names::default();
        let tables = distinct.into_iter().map(|rope| (rope, names.variable("rope"))).collect();
        Self { tables }
    }

    /// The variable of the table for `rope`.
    pub fn name(&self, rope: &Rope) -> &Ident {
        let found = self.tables.iter().find(|(known, _)| known == rope);
        found.map(|(_, name)| name).expect("every rope of the model has a table")
    }

    /// The names of all tables, which no other variable may have.
    pub fn reserved_names(&self) -> Names {
        let names: Vec<String> = self.tables.iter().map(|(_, name)| name.to_string()).collect();
        Names::reserving(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `rope: &nn::Rope` for each table that `regions` use.
    pub fn parameters(&self, regions: &[&Region]) -> TokenStream {
        let names = self.used_by(regions);
        quote!(#(, #names: &nn::Rope)*)
    }

    /// `&rope`, or `rope` inside a function that was given it, for each table that `regions` use.
    pub fn arguments(&self, regions: &[&Region], mark: &TokenStream) -> TokenStream {
        let names = self.used_by(regions);
        quote!(#(, #mark #names)*)
    }

    /// `let rope = …;` for each table; `like` gives length, kind and device.
    pub fn definitions(&self, num_positions: &TokenStream, like: &TokenStream) -> TokenStream {
        let tables = self.tables.iter().map(|(rope, name)| {
            let rotary_dim = literal::integer(rope.rotary_dim as u64);
            let theta = literal::float(rope.theta);
            quote!(let #name = nn::rope_table(#num_positions, #rotary_dim, #theta, #like.kind(), #like.device());)
        });
        quote!(#(#tables)*)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    fn used_by(&self, regions: &[&Region]) -> Vec<&Ident> {
        let used: Vec<Rope> = regions.iter().flat_map(|region| used(region)).collect();
        self.tables.iter().filter(|(rope, _)| used.contains(rope)).map(|(_, name)| name).collect()
    }
}

fn used(region: &Region) -> Vec<Rope> {
    region
        .nodes
        .iter()
        .filter_map(|node| if let Op::Rope(rope) = &node.op { Some(*rope) } else { None })
        .collect()
}
