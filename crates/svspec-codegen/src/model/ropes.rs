//! The rotary tables of a model: one for each set of angles, computed once per forward pass.

use crate::literal;
use crate::names::Names;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use svspec_ir::op::rope::{Angles, RampEnds, Scaling};
use svspec_ir::{Model, Op, PerLayer, Region};

/// The distinct tables, in the order of their first use.
#[derive(Clone, Debug)]
pub struct Ropes {
    tables: Vec<Table>,
}

/// A table, or one for each layer where its base differs from layer to layer.
#[derive(Clone, Debug)]
struct Table {
    angles: Angles,
    /// What a layer calls its own.
    name: Ident,
    /// What the model calls those of all layers.
    of_layers: Option<Ident>,
}

impl Ropes {
    /// The tables of all regions of `model`.
    pub fn of(model: &Model) -> Self {
        let mut distinct: Vec<&Angles> = Vec::new();
        for angles in model.regions.iter().flat_map(used) {
            if !distinct.contains(&angles) {
                distinct.push(angles);
            }
        }
        let mut names = Names::default();
        let table = |angles: &Angles| Table {
            angles: angles.clone(),
            name: names.variable("rope"),
            of_layers: match angles.theta {
                PerLayer::Uniform(_) => None,
                PerLayer::Each(_) => Some(names.variable("ropes")),
            },
        };
        Self { tables: distinct.into_iter().map(table).collect() }
    }

    /// The variable of the table for `angles`.
    pub fn name(&self, angles: &Angles) -> &Ident {
        let found = self.tables.iter().find(|table| table.angles == *angles);
        found.map(|table| &table.name).expect("every rope of the model has a table")
    }

    /// The names of all tables.
    pub fn all_names(&self) -> impl Iterator<Item = String> {
        self.tables.iter().map(|table| table.name.to_string())
    }

    /// `&rope`, or `&ropes[index]` in a loop over the layers, for each table that `regions` use.
    pub fn arguments(&self, regions: &[&Region]) -> Vec<TokenStream> {
        let argument = |Table { name, of_layers, .. }: &Table| match of_layers {
            None => quote!(&#name),
            Some(all) => quote!(&#all[index]),
        };
        self.used_by(regions).map(argument).collect()
    }

    /// The names of the tables that `regions` use.
    pub fn names(&self, regions: &[&Region]) -> Vec<&Ident> {
        self.used_by(regions).map(|table| &table.name).collect()
    }

    /// How many tables `regions` use.
    pub fn count(&self, regions: &[&Region]) -> TokenStream {
        literal::integer(self.used_by(regions).count() as u64)
    }

    /// Whether some table differs from layer to layer.
    pub fn differ(&self) -> bool {
        self.tables.iter().any(|table| table.of_layers.is_some())
    }

    /// `let rope = …;` for each table; `like` gives length, kind and device.
    pub fn definitions(&self, num_positions: &TokenStream, like: &TokenStream) -> TokenStream {
        let tables = self.tables.iter().map(|Table { angles, name, of_layers }| {
            let rotary_dim = literal::integer(angles.rotary_dim as u64);
            let table = |theta: TokenStream, kind: TokenStream, device: TokenStream| {
                let arguments = quote!(#num_positions, #rotary_dim, #theta);
                match scaling(&angles.scaling) {
                    None => quote!(nn::rope_table(#arguments, #kind, #device)),
                    Some(scaling) => quote!(nn::scaled_rope_table(#arguments, #scaling, #kind, #device)),
                }
            };
            match (&angles.theta, of_layers) {
                (PerLayer::Each(bases), Some(all)) => {
                    // Layers that do not use it are given a base that another has.
                    let spare = bases.iter().copied().find(|base| *base > 0.0).unwrap_or(1.0);
                    let bases =
                        bases.iter().map(|&base| literal::float(if base > 0.0 { base } else { spare }));
                    let table = table(quote!(theta), quote!(kind), quote!(device));
                    quote! {
                        let #name = |theta: f64| {
                            let (kind, device) = (#like.kind(), #like.device());
                            #table
                        };
                        let #all = [#(#bases),*].map(#name);
                    }
                }
                (theta, _) => {
                    let (kind, device) = (quote!(#like.kind()), quote!(#like.device()));
                    let table = table(literal::float(theta.at(None)), kind, device);
                    quote!(let #name = #table;)
                }
            }
        });
        quote!(#(#tables)*)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    fn used_by(&self, regions: &[&Region]) -> impl Iterator<Item = &Table> {
        let used: Vec<&Angles> = regions.iter().flat_map(|region| used(region)).collect();
        let tables: Vec<&Table> = self.tables.iter().filter(|table| used.contains(&&table.angles)).collect();
        tables.into_iter()
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
        Scaling::LongRope(long) => {
            let factors = long.factors.iter().copied().map(literal::float);
            let attention = literal::float(long.attention_factor);
            Some(quote! {
                &nn::RopeScaling::LongRope { factors: &[#(#factors),*], attention_factor: #attention }
            })
        }
    }
}

fn used(region: &Region) -> Vec<&Angles> {
    region
        .nodes
        .iter()
        .filter_map(|node| if let Op::Rope(rope) = &node.op { Some(&rope.angles) } else { None })
        .collect()
}
