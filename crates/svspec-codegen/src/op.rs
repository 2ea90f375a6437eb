//! Each op to Rust and to an equation; one file per op, named as the op's own in `svspec_ir::op`.

mod activation;
mod add;
mod attention;
mod balance;
mod bias;
mod choose;
mod clamp;
mod combine;
mod concat;
mod cross_entropy;
mod delay;
mod dispatch;
mod embed;
mod expert_bias;
mod expert_linear;
mod expert_scale;
mod gain;
mod input;
mod linear;
mod mul;
mod normalize;
mod position_gain;
mod positions;
mod rope;
mod route;
mod scale;
mod sinusoids;
mod slice;
mod soft_cap;
mod view;
mod weigh;
mod z_loss;

use crate::model::{Scope, Variable};
use proc_macro2::TokenStream;
use svspec_ir::{Model, Node, Op, PerLayer, ValueId};

/// What an op becomes.
pub enum Emitted {
    /// An expression of type `Tensor`, to be bound to the node's name.
    Expression(TokenStream),
    /// Nothing: the value has a variable already.
    Known(Variable),
    /// Nothing yet: what reads the value first makes it.
    Later,
}

impl From<TokenStream> for Emitted {
    fn from(expression: TokenStream) -> Self {
        Self::Expression(expression)
    }
}

/// What the file of an op says of it.
trait Code {
    /// The expression of `node`; statements that it needs first go to `scope`.
    fn emit(&self, scope: &mut Scope<'_>, id: ValueId, node: &Node) -> Emitted;

    /// The right-hand side of the equation for `node`, given its inputs'.
    fn equation(&self, model: &Model, node: &Node, inputs: &[Term]) -> Term;
}

/// The op's own file.
fn code(op: &Op) -> &dyn Code {
    svspec_ir::each_op!(op, op => op)
}

/// The expression of `node`; statements that it needs first go to `scope`.
pub fn emit(scope: &mut Scope<'_>, id: ValueId, node: &Node) -> Emitted {
    code(&node.op).emit(scope, id, node)
}

/// The right-hand side of the equation for `node` of a model as lowered, given its inputs'.
pub fn equation(model: &Model, node: &Node, inputs: &[Term]) -> Term {
    code(&node.op).equation(model, node, inputs)
}

/// One side of an equation.
#[derive(Clone, Debug)]
pub struct Term {
    /// The mathematics.
    pub text: String,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Atom,
    Product,
    Sum,
}

impl Term {
    /// A name or a call.
    pub fn atom(text: impl Into<String>) -> Self {
        Self { text: text.into(), form: Form::Atom }
    }

    /// A product of any kind.
    pub fn product(text: impl Into<String>) -> Self {
        Self { text: text.into(), form: Form::Product }
    }

    /// A sum.
    pub fn sum(text: impl Into<String>) -> Self {
        Self { text: text.into(), form: Form::Sum }
    }

    /// Fit for an element-wise product.
    pub fn as_factor(&self) -> String {
        match self.form {
            Form::Atom | Form::Product => self.text.clone(),
            Form::Sum => format!("({})", self.text),
        }
    }

    /// Fit for what a matrix multiplies.
    pub fn as_argument(&self) -> String {
        match self.form {
            Form::Atom => self.text.clone(),
            Form::Product | Form::Sum => format!("({})", self.text),
        }
    }
}

/// The `N` inputs of a node, or what stands for them.
fn operands<T, const N: usize>(inputs: &[T]) -> &[T; N] {
    inputs.try_into().expect("the checker counted the inputs")
}

/// A constant in an equation.
fn constant_text(value: &PerLayer) -> String {
    match value {
        PerLayer::Uniform(value) => value.to_string(),
        PerLayer::Each(_) => "c[layer]".to_owned(),
    }
}

/// The path of a parameter in an equation.
fn path(model: &Model, param: svspec_ir::ParamId) -> &str {
    model.params.get(param.0).map_or("", |param| param.path.as_str())
}
