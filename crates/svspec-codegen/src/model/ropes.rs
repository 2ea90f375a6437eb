//! The rotary tables of a model: one for each set of angles, computed once per forward pass.

use crate::literal;
use crate::names::Names;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::op::rope::{Angles, RampEnds, Scaling};
use svspec_ir::{Model, Op, Region};

/// The distinct tables, in the order of their first use.
#[derive(Clone, Debug)]
pub struct Ropes {
    tables: Vec<(Angles, Ident)>,
}

impl Ropes {
    /// The tables of all regions of `model`.
    pub fn of(model: &Model) -> Self {
        let mut distinct: Vec<Angles> = Vec::new();
        for angles in model.regions.iter().flat_map(used) {
            if !distinct.contains(&angles) {
                distinct.push(angles);
            }
        }
        let mut names = Names::default();
        let tables = distinct.into_iter().map(|angles| (angles, names.variable("rope"))).collect();
        Self { tables }
    }

    /// The variable of the table for `angles`.
    pub fn name(&self, angles: &Angles) -> &Ident {
        let found = self.tables.iter().find(|(known, _)| known == angles);
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
        let tables = self.tables.iter().map(|(angles, name)| {
            let rotary_dim = literal::integer(angles.rotary_dim as u64);
            let theta = literal::float(angles.theta);
            let arguments = quote!(#num_positions, #rotary_dim, #theta);
            match scaling(&angles.scaling) {
                None => quote!(let #name = nn::rope_table(#arguments, #like.kind(), #like.device());),
                Some(scaling) => {
                    quote!(let #name = nn::scaled_rope_table(#arguments, #scaling, #like.kind(), #like.device());)
                }
            }
        });
        quote!(#(#tables)*)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    fn used_by(&self, regions: &[&Region]) -> Vec<&Ident> {
        let used: Vec<Angles> = regions.iter().flat_map(|region| used(region)).collect();
        self.tables.iter().filter(|(angles, _)| used.contains(angles)).map(|(_, name)| name).collect()
    }
}

/// The runtime's scaling of that name; `None` without one.
fn scaling(scaling: &Scaling) -> Option<TokenStream> {
    match scaling {
        Scaling::Unscaled => None,
        Scaling::Linear { factor } => {
            let factor = literal::float(*factor);
            Some(quote!(&nn::RopeScaling::Linear { factor: #factor }))
        }
        Scaling::Llama3(llama3) => {
            let [factor, low, high] =
                [llama3.factor, llama3.low_freq_factor, llama3.high_freq_factor].map(literal::float);
            let context = literal::integer(llama3.original_context as u64);
            Some(quote! {
                &nn::RopeScaling::Llama3 {
                    factor: #factor,
                    low_freq_factor: #low,
                    high_freq_factor: #high,
                    original_context: #context,
                }
            })
        }
        Scaling::Yarn(yarn) => {
            let [factor, fast, slow, attention] =
                [yarn.factor, yarn.beta_fast, yarn.beta_slow, yarn.attention_factor].map(literal::float);
            let context = literal::integer(yarn.original_context as u64);
            let ends = match yarn.ends {
                RampEnds::Whole => quote!(nn::RampEnds::Whole),
                RampEnds::Exact => quote!(nn::RampEnds::Exact),
            };
            Some(quote! {
                &nn::RopeScaling::Yarn {
                    factor: #factor,
                    beta_fast: #fast,
                    beta_slow: #slow,
                    original_context: #context,
                    attention_factor: #attention,
                    ends: #ends,
                }
            })
        }
    }
}

fn used(region: &Region) -> Vec<Angles> {
    region
        .nodes
        .iter()
        .filter_map(|node| if let Op::Rope(rope) = &node.op { Some(rope.angles) } else { None })
        .collect()
}
