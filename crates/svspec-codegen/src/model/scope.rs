//! What emission knows while it writes the body of one region.

use super::collected::Collected;
use super::constants::Constants;
use super::fields::Fields;
use super::legend::Legend;
use super::shared::Shared;
use crate::names::Names;
use crate::{literal, print};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeMap;
use svspec_ir::op::{Input, Rope};
use svspec_ir::{Dim, Model, Node, ParamId, PerLayer, Region, ScaleId, ScaleVector, SideId, ValueId};

/// A value in the emitted code.
#[derive(Clone, Debug)]
pub enum Variable {
    /// A `Tensor`.
    Owned(Ident),
    /// A `&Tensor`: an argument.
    Borrowed(Ident),
}

/// The constants of every region: what a body may name besides its own variables.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The model, rewritten.
    pub model: &'a Model,
    /// The dimensions.
    pub constants: &'a Constants,
    /// The letters.
    pub legend: &'a Legend,
    /// What the whole forward pass shares.
    pub shared: &'a Shared,
    /// What the layers leave for the losses.
    pub collected: &'a Collected,
}

/// A constant that differs from layer to layer.
#[derive(Clone, Debug)]
pub struct LayerConstant {
    /// The field that holds it in a layer.
    pub field: Ident,
    /// The array over the depth.
    pub values: Vec<f64>,
    /// The type of its entries.
    pub number: Number,
}

/// The type of a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// `f64`
    Real,
    /// `i64`
    Whole,
}

impl Number {
    /// The type.
    pub fn name(self) -> TokenStream {
        match self {
            Self::Real => quote!(f64),
            Self::Whole => quote!(i64),
        }
    }

    /// The literal of a value.
    pub fn literal(self, value: f64) -> TokenStream {
        match self {
            Self::Real => literal::float(value),
            Self::Whole => literal::integer(value as u64),
        }
    }
}

/// The body being written.
#[derive(Debug)]
pub struct Scope<'a> {
    /// What it may name.
    pub around: Surroundings<'a>,
    /// The region.
    pub region: &'a Region,
    /// The statements so far.
    pub statements: Vec<TokenStream>,
    /// The per-layer constants met so far.
    pub layer_constants: Vec<LayerConstant>,
    fields: &'a Fields<'a>,
    names: Names,
    values: BTreeMap<ValueId, Variable>,
    arguments: Vec<(Input, Ident)>,
    gammas: BTreeMap<ScaleId, TokenStream>,
}

impl<'a> Scope<'a> {
    /// An empty body for `region`, whose parameters are `fields` of `self`.
    pub fn new(around: Surroundings<'a>, region: &'a Region, fields: &'a Fields<'a>) -> Self {
        let mut names = around.shared.reserved_names();
        if around.collected.is_needed() {
            names.variable("collected");
        }
        Self {
            around,
            region,
            statements: Vec::new(),
            layer_constants: Vec::new(),
            fields,
            names,
            values: BTreeMap::new(),
            arguments: Vec::new(),
            gammas: BTreeMap::new(),
        }
    }

    /// The variable for what the region is given; the same for every node that asks for it.
    pub fn argument(&mut self, input: Input, node: &Node) -> Variable {
        if let Some((_, name)) = self.arguments.iter().find(|(known, _)| *known == input) {
            return Variable::Borrowed(name.clone());
        }
        let field = match input {
            Input::Collected(id) => self.around.collected.field(id).cloned(),
            Input::Carried | Input::Tokens | Input::Targets => None,
        };
        let name = field.unwrap_or_else(|| self.variable(&node.name, &node.dims));
        self.arguments.push((input, name.clone()));
        Variable::Borrowed(name)
    }

    /// The argument for `input`, if some node asked for it.
    pub fn argument_name(&self, input: Input) -> Option<&Ident> {
        self.arguments.iter().find(|(known, _)| *known == input).map(|(_, name)| name)
    }

    /// The arguments for what the layers leave.
    pub fn collected(&self) -> Vec<(SideId, Ident)> {
        let of = |(input, name): &(Input, Ident)| match input {
            Input::Collected(id) => Some((*id, name.clone())),
            Input::Carried | Input::Tokens | Input::Targets => None,
        };
        self.arguments.iter().filter_map(of).collect()
    }

    /// The type of the model's parameters.
    pub fn kind(&self) -> TokenStream {
        let first =
            self.fields.first().expect("an embedding table or a head is one of the model's own fields");
        quote!(self.#first.kind())
    }

    /// A new variable for a value of these dimensions.
    pub fn variable(&mut self, name: &str, dims: &[Dim]) -> Ident {
        let suffix = self.around.legend.suffix(dims);
        self.names.variable(&format!("{name}_{suffix}"))
    }

    /// Writes `let name = expression;` for a tensor that is not an activation, and names it.
    pub fn bind(&mut self, name: &str, expression: &TokenStream) -> Ident {
        let name = self.names.variable(name);
        self.statements.push(quote!(let #name = #expression;));
        name
    }

    /// A new variable without a suffix.
    pub fn bare_variable(&mut self, name: &str) -> Ident {
        self.names.variable(name)
    }

    /// Whether the result of node `id` has a variable.
    pub fn is_defined(&self, id: ValueId) -> bool {
        self.values.contains_key(&id)
    }

    /// Says where the result of node `id` is.
    pub fn define(&mut self, id: ValueId, variable: Variable) {
        self.values.insert(id, variable);
    }

    /// `&x`, or `x` where it is a reference already.
    pub fn reference(&self, id: ValueId) -> TokenStream {
        match self.value(id) {
            Variable::Owned(name) => quote!(&#name),
            Variable::Borrowed(name) => quote!(#name),
        }
    }

    /// `x`, to call a method on.
    pub fn receiver(&self, id: ValueId) -> Ident {
        match self.value(id) {
            Variable::Owned(name) | Variable::Borrowed(name) => name.clone(),
        }
    }

    /// `x` as an owned tensor.
    pub fn owned(&self, id: ValueId) -> TokenStream {
        match self.value(id) {
            Variable::Owned(name) => quote!(#name),
            Variable::Borrowed(name) => quote!(#name.shallow_clone()),
        }
    }

    /// The variable of node `id`.
    pub fn value(&self, id: ValueId) -> &Variable {
        self.values.get(&id).expect("a node follows its inputs")
    }

    /// The node called `id`.
    pub fn node(&self, id: ValueId) -> &'a Node {
        self.region.nodes.get(id.0).expect("ids index the region they come from")
    }

    /// The dimensions of the result of node `id`.
    pub fn dims(&self, id: ValueId) -> &'a [Dim] {
        self.region.nodes.get(id.0).map_or(&[], |node| node.dims.as_slice())
    }

    /// The scale vector called `id`.
    pub fn scale(&self, id: ScaleId) -> &'a ScaleVector {
        self.around.model.scales.get(id.0).expect("ids index the model they come from")
    }

    /// `self.attn_q_weight`.
    pub fn parameter(&self, id: ParamId) -> TokenStream {
        let name = self.fields.name(id).expect("a region reads its own struct's parameters");
        quote!(self.#name)
    }

    /// The path of a parameter.
    pub fn path(&self, id: ParamId) -> &'a str {
        self.around.model.params.get(id.0).map_or("", |param| param.path.as_str())
    }

    /// The table for `rope`.
    pub fn rope(&self, rope: &Rope) -> &'a Ident {
        self.around.shared.rope(&rope.angles)
    }

    /// The documents, if the model has them apart.
    pub fn documents(&self) -> Option<Ident> {
        self.around.shared.documents()
    }

    /// γ, if an earlier node needed it too.
    pub fn known_gamma(&self, id: ScaleId) -> Option<TokenStream> {
        self.gammas.get(&id).cloned()
    }

    /// Keeps γ for later nodes.
    pub fn remember_gamma(&mut self, id: ScaleId, gamma: TokenStream) {
        self.gammas.insert(id, gamma);
    }

    /// Evaluates γ into a variable and returns a reference to it.
    pub fn bind_gamma(&mut self, path: &str, expression: &TokenStream) -> TokenStream {
        let name = self.bind(path, expression);
        quote!(&#name)
    }

    /// The value of a constant of `node`, which is its `what`: a literal, or the layer's own.
    pub fn constant(&mut self, node: &Node, what: &str, value: &PerLayer) -> TokenStream {
        self.number(node, what, value, Number::Real)
    }

    /// The same of a whole number.
    pub fn whole(&mut self, node: &Node, what: &str, value: &PerLayer) -> TokenStream {
        self.number(node, what, value, Number::Whole)
    }

    fn number(&mut self, node: &Node, what: &str, value: &PerLayer, number: Number) -> TokenStream {
        match value {
            PerLayer::Uniform(value) => number.literal(*value),
            PerLayer::Each(values) => {
                let field = Names::default().variable(&format!("{}_{what}", node.name));
                self.layer_constants.push(LayerConstant {
                    field: field.clone(),
                    values: values.clone(),
                    number,
                });
                quote!(self.#field)
            }
        }
    }

    /// Starts a paragraph.
    pub fn paragraph(&mut self, comment: &str) -> TokenStream {
        let blank = if self.statements.is_empty() { TokenStream::new() } else { print::blank() };
        let comment = print::comment(comment);
        quote!(#blank #comment)
    }
}
