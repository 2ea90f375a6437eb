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
mod linear;
mod mul;
mod normalize;
mod positions;
mod rope;
mod route;
mod scale;
mod sinusoids;
mod slice;
mod soft_cap;
mod view;
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
}

/// The expression of `node`; statements that it needs first go to `scope`.
pub fn emit(scope: &mut Scope<'_>, id: ValueId, node: &Node) -> Emitted {
    let input = |index: usize| node.inputs.get(index).copied().expect("the checker counted the inputs");
    let expression = match &node.op {
        Op::Input(op) => return Emitted::Known(scope.argument(*op, node)),
        Op::Slice(op) => return slice::emit(scope, op, input(0), id),
        Op::View(op) => view::emit(scope, op, input(0)),
        Op::Concat(_) => concat::emit(scope, node),
        Op::Balance(op) => return balance::emit(scope, *op, node, [input(0), input(1)]),
        Op::ZLoss(_) => return z_loss::emit(scope, node, input(0)),
        Op::Choose(op) => return choose::emit(scope, *op, node, input(0)),
        Op::Embed(op) => embed::emit(scope, *op, input(0)),
        Op::Positions(op) => positions::emit(scope, *op, input(0)),
        Op::Sinusoids(op) => sinusoids::emit(scope, op, input(0)),
        Op::Normalize(op) => normalize::emit(scope, op, node, input(0)),
        Op::Scale(op) => scale::emit(scope, *op, input(0)),
        Op::Bias(op) => bias::emit(scope, *op, input(0)),
        Op::Linear(op) => linear::emit(scope, op, node, input(0)),
        Op::Rope(op) => rope::emit(scope, op, input(0)),
        Op::Attention(op) => attention::emit(scope, op, node, [input(0), input(1), input(2)]),
        Op::Activation(op) => activation::emit(scope, *op, input(0)),
        Op::Mul(_) => mul::emit(scope, [input(0), input(1)]),
        Op::Add(_) => add::emit(scope, [input(0), input(1)]),
        Op::Gain(op) => gain::emit(scope, op, node, input(0)),
        Op::Delay(op) => delay::emit(scope, *op, input(0)),
        Op::SoftCap(op) => soft_cap::emit(scope, op, node, input(0)),
        Op::Route(op) => route::emit(scope, *op, [input(0), input(1)]),
        Op::Dispatch(_) => dispatch::emit(scope, [input(0), input(1)]),
        Op::ExpertLinear(op) => expert_linear::emit(scope, *op, [input(0), input(1)]),
        Op::ExpertBias(op) => expert_bias::emit(scope, *op, [input(0), input(1)]),
        Op::ExpertScale(op) => expert_scale::emit(scope, *op, [input(0), input(1)]),
        Op::Combine(_) => combine::emit(scope, [input(0), input(1), input(2)]),
        Op::Clamp(op) => clamp::emit(scope, op, node, input(0)),
        Op::CrossEntropy(_) => cross_entropy::emit(scope, [input(0), input(1)]),
    };
    Emitted::Expression(expression)
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

/// The right-hand side of the equation for `node` of a model as lowered, given its inputs'.
pub fn equation(model: &Model, node: &Node, inputs: &[Term]) -> Term {
    let input = |index: usize| inputs.get(index).expect("the checker counted the inputs");
    match &node.op {
        Op::Input(_) => Term::atom(node.name.as_str()),
        Op::View(_) => input(0).clone(),
        Op::Slice(op) => slice::equation(op, input(0)),
        Op::Concat(_) => concat::equation(inputs),
        Op::Embed(op) => embed::equation(model, *op, input(0)),
        Op::Positions(op) => positions::equation(model, *op),
        Op::Sinusoids(op) => sinusoids::equation(op),
        Op::Normalize(op) => normalize::equation(op, input(0)),
        Op::Scale(op) => scale::equation(model, *op, input(0)),
        Op::Bias(op) => bias::equation(model, *op, input(0)),
        Op::Linear(op) => linear::equation(model, op, input(0)),
        Op::Rope(_) => rope::equation(input(0)),
        Op::Attention(_) => attention::equation([input(0), input(1), input(2)]),
        Op::Activation(op) => activation::equation(*op, input(0)),
        Op::Mul(_) => mul::equation([input(0), input(1)]),
        Op::Add(_) => add::equation([input(0), input(1)]),
        Op::Gain(op) => gain::equation(op, input(0)),
        Op::Delay(op) => delay::equation(*op, input(0)),
        Op::SoftCap(op) => soft_cap::equation(op, input(0)),
        Op::Choose(op) => choose::equation(model, *op, input(0)),
        Op::Route(op) => route::equation(*op, [input(0), input(1)]),
        Op::Dispatch(_) => dispatch::equation(input(0)),
        Op::ExpertLinear(op) => expert_linear::equation(model, *op, [input(0), input(1)]),
        Op::ExpertBias(op) => expert_bias::equation(model, *op, [input(0), input(1)]),
        Op::ExpertScale(op) => expert_scale::equation(model, *op, [input(0), input(1)]),
        Op::Balance(_) => balance::equation([input(0), input(1)]),
        Op::ZLoss(_) => z_loss::equation(input(0)),
        Op::Combine(_) => combine::equation([input(0), input(1), input(2)]),
        Op::Clamp(op) => clamp::equation(op, input(0)),
        Op::CrossEntropy(_) => cross_entropy::equation([input(0), input(1)]),
    }
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
