//! A model to the text of `src/model.rs`: constants, a struct per layer kind, and the forward pass written out.
//!
//! The equations come from the model as lowered, the code from the rewritten one.

mod collected;
pub mod constants;
mod equations;
mod fields;
mod layers;
mod legend;
mod loss;
mod recompute;
mod region;
mod ropes;
mod scope;
mod shared;

pub use region::live_values;
pub use scope::{Scope, Variable};

use crate::options::SpecSource;
use crate::{GenerateError, header, print};
use collected::Collected;
use constants::Constants;
use fields::Fields;
use layers::Kind;
use legend::Legend;
use proc_macro2::TokenStream;
use quote::quote;
use scope::Surroundings;
use shared::Shared;
use svspec_ir::{Model, RegionKind, cost};

/// The file of `lowered`, computed as `rewritten` says.
pub fn emit(lowered: &Model, rewritten: &Model, spec: &SpecSource) -> Result<String, GenerateError> {
    let constants = Constants::of(lowered);
    let legend = Legend::of(lowered);
    let shared = Shared::of(rewritten);
    let collected = Collected::of(rewritten, &legend);
    let around = Surroundings {
        model: rewritten,
        constants: &constants,
        legend: &legend,
        shared: &shared,
        collected: &collected,
    };
    let kinds = layers::kinds(around);
    let imports = imports(&kinds, lowered, &collected);
    let blank = print::blank();
    let definitions = constants.definitions();
    let chunk = loss::definition(around);
    let recomputed = recompute::definition(rewritten);
    let layers = layers::items(around, &kinds);
    let model = whole(around, &kinds);
    let left = collected.definition();
    let items = quote!(#imports #blank #definitions #chunk #recomputed #left #layers #model);
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
    let element = recompute::element_type(model, kinds);
    let has_layers = !kinds.is_empty();
    let layers_field = has_layers.then(|| quote!(layers: Vec<#element>,));
    let construction = recompute::construction(model, kinds);
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

/// `embed` and `head`, what stands before and after the stack; and the pass through the stack or all of it, where `loss` and
/// `logits` both need it.
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
        let shared = around.shared.parameters(&[region]);
        let blank = (!passes.is_empty()).then(print::blank);
        let doc = print::docs([doc]);
        passes.extend(quote! {
            #blank
            #doc
            fn #name(&self, #argument: &Tensor #shared) -> Tensor { #statements #result }
        });
    }
    let collected = around.collected.is_needed().then(|| quote!(, collected: &mut Collected));
    let aside =
        if collected.is_some() { "; what the layers leave for losses goes to `collected`." } else { "." };
    let blank = print::blank();
    if cost::loss_chunk(around.model).is_some() {
        let doc = print::docs([format!("Token ids to what the last layer leaves{aside}").as_str()]);
        let statements = through_the_stack(around, kinds, fields);
        passes.extend(quote! {
            #blank
            #doc
            fn stack(&self, tokens_bt: &Tensor #collected) -> Tensor { #statements x_btd }
        });
    } else if collected.is_some() {
        let doc = print::docs([format!("Token ids to logits{aside}").as_str()]);
        let pass = whole_pass(around, kinds, fields);
        passes.extend(quote! {
            #blank
            #doc
            fn pass(&self, tokens_bt: &Tensor #collected) -> Tensor { #pass }
        });
    }
    passes
}

/// `logits` and `loss`; of a model whose layers leave something for losses, `losses` too.
fn forward(around: Surroundings<'_>, kinds: &[Kind<'_>], fields: &Fields<'_>) -> TokenStream {
    let blank = print::blank();
    let collected = around.collected.is_needed().then(|| quote!(, &mut Collected::default()));
    let logits = if cost::loss_chunk(around.model).is_some() {
        quote!(self.head(&self.stack(tokens_bt #collected)))
    } else if collected.is_some() {
        quote!(self.pass(tokens_bt #collected))
    } else {
        whole_pass(around, kinds, fields)
    };
    let loss = loss::emit(around, fields);
    quote! {
        fn logits(&self, tokens_bt: &Tensor) -> Tensor { #logits }
        #blank
        #loss
    }
}

/// The statements from token ids to logits.
fn whole_pass(around: Surroundings<'_>, kinds: &[Kind<'_>], fields: &Fields<'_>) -> TokenStream {
    let statements = through_the_stack(around, kinds, fields);
    let head = around.model.regions.iter().filter(|region| region.kind == RegionKind::Head);
    let shared = around.shared.arguments(&head.collect::<Vec<_>>());
    quote! {
        #statements
        self.head(&x_btd #shared)
    }
}

/// The statements that make `x_btd` of `tokens_bt`: the embedding, and every layer.
fn through_the_stack(around: Surroundings<'_>, kinds: &[Kind<'_>], fields: &Fields<'_>) -> TokenStream {
    let table = fields.first().map(|name| quote!(self.#name));
    let definitions = around.shared.definitions(around.model, &table.unwrap_or_default());
    let embed = around.model.regions.iter().filter(|region| region.kind == RegionKind::Embed);
    let shared = around.shared.arguments(&embed.collect::<Vec<_>>());
    let pass = recompute::pass(around, kinds);
    let stack = if kinds.is_empty() {
        quote!(let x_btd = self.embed(tokens_bt #shared);)
    } else {
        let head = if around.shared.differ() {
            quote!(for (index, layer) in self.layers.iter().enumerate())
        } else {
            quote!(for layer in &self.layers)
        };
        quote! {
            let mut x_btd = self.embed(tokens_bt #shared);
            #head {
                #pass
            }
        }
    };
    quote!(#definitions #stack)
}
