//! A model to the text of `src/model.rs`: constants, a struct per layer kind, and the forward pass written out.
//!
//! The equations come from the model as lowered, the code from the rewritten one.

mod collected;
pub mod constants;
mod equations;
mod fields;
mod layers;
mod legend;
mod region;
mod ropes;
mod scope;

pub use region::live_values;
pub use scope::{Scope, Variable};

use crate::options::SpecSource;
use crate::{GenerateError, header, literal, print};
use collected::Collected;
use constants::Constants;
use fields::Fields;
use layers::Kind;
use legend::Legend;
use proc_macro2::TokenStream;
use quote::quote;
use ropes::Ropes;
use scope::Surroundings;
use svspec_ir::{Model, Region, RegionKind};

/// The file of `lowered`, computed as `rewritten` says.
pub fn emit(lowered: &Model, rewritten: &Model, spec: &SpecSource) -> Result<String, GenerateError> {
    let constants = Constants::of(lowered);
    let legend = Legend::of(lowered);
    let ropes = Ropes::of(rewritten);
    let collected = Collected::of(rewritten, &legend);
    let around = Surroundings {
        model: rewritten,
        constants: &constants,
        legend: &legend,
        ropes: &ropes,
        collected: &collected,
    };
    let kinds = layers::kinds(around);
    let imports = imports(&kinds, lowered, &collected);
    let blank = print::blank();
    let definitions = constants.definitions();
    let layers = layers::items(around, &kinds);
    let model = whole(around, &kinds);
    let left = collected.definition();
    let items = quote!(#imports #blank #definitions #left #layers #model);
    print::file("src/model.rs", &docs(lowered, &legend.text(rewritten), spec), items)
}

fn imports(kinds: &[Kind<'_>], model: &Model, collected: &Collected) -> TokenStream {
    let layer_params = if kinds.is_empty() { TokenStream::new() } else { quote!(LayerParams,) };
    let tables = if model.foreign.tensors.is_empty() {
        quote!(
            use crate::params::SPEC;
        )
    } else {
        quote! {
            use crate::params::{FOREIGN, SPEC};
            use svspec_runtime::foreign::Foreign;
        }
    };
    let load = collected.has_loads().then(|| quote!(Load,));
    let side = (!model.side_losses().is_empty()).then(|| quote!(SideLoss,));
    let losses = collected.is_needed().then(|| {
        quote!(
            use svspec_runtime::losses::{#load Losses, #side};
        )
    });
    let blank = print::blank();
    quote! {
        #blank
        #tables
        #losses
        use svspec_runtime::nn;
        use svspec_runtime::params::{#layer_params Params};
        use svspec_runtime::spec::Spec;
        use tch::Tensor;
    }
}

fn docs(model: &Model, legend: &str, spec: &SpecSource) -> Vec<String> {
    let about = model.doc.first().map_or("a language model.", |line| line.trim());
    let mut docs = vec![format!("`{}`: {about}", model.name)];
    docs.extend(model.doc.iter().skip(1).map(|line| line.trim().to_owned()));
    docs.extend([String::new(), "```text".to_owned()]);
    docs.extend(equations::lines(model));
    docs.extend(["```".to_owned(), String::new()]);
    docs.push(format!("A tensor's name ends in its dimensions: {legend}."));
    docs.push(header::provenance(spec, &model.name));
    docs
}

/// The struct with everything in it, and its passes.
fn whole(around: Surroundings<'_>, kinds: &[Kind<'_>]) -> TokenStream {
    let model = around.model;
    let is_layer = |region: &svspec_ir::Region| region.kind == RegionKind::Layer;
    let outside = Fields::of(model, |id| model.regions.get(id.0).is_some_and(|region| !is_layer(region)));
    let blank = print::blank();
    let doc = print::docs(["The whole model."]);
    let declarations = outside.declarations(around.constants);
    let element = layers::element_type(kinds);
    let has_layers = !kinds.is_empty();
    let layers_field = has_layers.then(|| quote!(layers: Vec<#element>,));
    let construction = layers::construction(kinds);
    let layers_value = has_layers.then(|| quote!(layers: #construction,));
    let initialisers = outside.initialisers();
    let passes = passes(around, kinds, &outside);
    let forward = forward(around, kinds, &outside);
    let has_foreign = !model.foreign.tensors.is_empty();
    let foreign = has_foreign.then(|| {
        quote!(
            const FOREIGN: Foreign = FOREIGN;
        )
    });
    quote! {
        #blank
        #doc
        pub struct Model { #declarations #layers_field }
        #blank
        impl Model { #passes }
        #blank
        impl svspec_runtime::Model for Model {
            const SPEC: &'static Spec = &SPEC;
            #foreign
            #blank
            fn new(params: &Params) -> Self {
                Self { #initialisers #layers_value }
            }
            #blank
            #forward
        }
    }
}

/// `embed` and `head`, what stands before and after the stack; and the pass through all of it where layers leave something.
fn passes(around: Surroundings<'_>, kinds: &[Kind<'_>], fields: &Fields<'_>) -> TokenStream {
    let mut passes = TokenStream::new();
    for region in &around.model.regions {
        let (name, doc) = match region.kind {
            RegionKind::Embed => (quote!(embed), "Token ids to the residual stream."),
            RegionKind::Head => (quote!(head), "The residual stream to logits."),
            RegionKind::Layer | RegionKind::Loss => continue,
        };
        let body = region::body(around, region, fields);
        let (argument, statements, result) = (&body.argument, &body.statements, &body.result);
        let ropes = around.ropes.parameters(&[region]);
        let blank = (!passes.is_empty()).then(print::blank);
        let doc = print::docs([doc]);
        passes.extend(quote! {
            #blank
            #doc
            fn #name(&self, #argument: &Tensor #ropes) -> Tensor { #statements #result }
        });
    }
    if around.collected.is_needed() {
        let (blank, pass) = (print::blank(), whole_pass(around, kinds, fields));
        let doc = print::docs(["Token ids to logits; what the layers leave for losses goes to `collected`."]);
        passes.extend(quote! {
            #blank
            #doc
            fn pass(&self, tokens_bt: &Tensor, collected: &mut Collected) -> Tensor { #pass }
        });
    }
    passes
}

/// `logits` and `loss`; of a model whose layers leave something for losses, `losses` too.
fn forward(around: Surroundings<'_>, kinds: &[Kind<'_>], fields: &Fields<'_>) -> TokenStream {
    let blank = print::blank();
    let regions = around.model.regions.iter().filter(|region| region.kind == RegionKind::Loss);
    if around.collected.is_needed() {
        let losses = regions.map(|region| losses(around, region, fields));
        return quote! {
            fn logits(&self, tokens_bt: &Tensor) -> Tensor {
                self.pass(tokens_bt, &mut Collected::default())
            }
            #blank
            #(#losses)*
        };
    }
    let losses = regions.map(|region| {
        let body = region::body(around, region, fields);
        let (logits, targets) = (&body.argument, &body.targets);
        let (statements, result) = (&body.statements, &body.result);
        quote! {
            fn loss(&self, tokens_bt: &Tensor, #targets: &Tensor) -> Tensor {
                let #logits = &self.logits(tokens_bt);
                #statements
                #result
            }
        }
    });
    let pass = whole_pass(around, kinds, fields);
    quote! {
        fn logits(&self, tokens_bt: &Tensor) -> Tensor { #pass }
        #blank
        #(#losses)*
    }
}

/// The statements from token ids to logits.
fn whole_pass(around: Surroundings<'_>, kinds: &[Kind<'_>], fields: &Fields<'_>) -> TokenStream {
    let table = fields.first().map(|name| quote!(self.#name));
    let tables = around.ropes.definitions(&quote!(num_tokens), &table.unwrap_or_default());
    let num_tokens = (!around.ropes.is_empty())
        .then(|| quote!(let num_tokens = tokens_bt.size2().expect("tokens are [b, t]").1;));
    let of = |kind: RegionKind| around.model.regions.iter().filter(move |region| region.kind == kind);
    let embed_ropes = around.ropes.arguments(&of(RegionKind::Embed).collect::<Vec<_>>());
    let head_ropes = around.ropes.arguments(&of(RegionKind::Head).collect::<Vec<_>>());
    let layer_ropes = layers::rope_arguments(around, kinds);
    let collected = around.collected.is_needed().then(|| quote!(, collected));
    let stack = if kinds.is_empty() {
        quote!(let x_btd = self.embed(tokens_bt #embed_ropes);)
    } else {
        let head = if around.ropes.differ() {
            quote!(for (index, layer) in self.layers.iter().enumerate())
        } else {
            quote!(for layer in &self.layers)
        };
        quote! {
            let mut x_btd = self.embed(tokens_bt #embed_ropes);
            #head {
                x_btd = layer.forward(&x_btd #layer_ropes #collected);
            }
        }
    };
    quote! {
        #num_tokens
        #tables
        #stack
        self.head(&x_btd #head_ropes)
    }
}

/// `loss` and `losses` of a model whose layers leave something for losses.
fn losses(around: Surroundings<'_>, region: &Region, fields: &Fields<'_>) -> TokenStream {
    let body = region::body(around, region, fields);
    let (logits, targets) = (&body.argument, &body.targets);
    let (statements, result) = (&body.statements, &body.result);
    let blank = print::blank();
    let taken_apart = Collected::taken_apart(&body.collected);
    let side = around.model.side_losses().iter().zip(&body.side).map(|(side, value)| {
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
            let #logits = &self.pass(tokens_bt, &mut collected);
            #taken_apart
            #statements
            let cross_entropy = #result;
            Losses { cross_entropy, side: #side, loads: #loads }
        }
    }
}
