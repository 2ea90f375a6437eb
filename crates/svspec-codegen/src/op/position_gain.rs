//! `position_gain` to a call of the runtime's with the factor as a function of the position.

use super::{Code, Emitted, Term, operands};
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use svspec_ir::arithmetic::Operator;
use svspec_ir::op::PositionGain;
use svspec_ir::{Model, Node, OfPosition, PerLayer, ValueId};

impl Code for PositionGain {
    /// `nn::position_gain(&x, |position| 1.0 + 0.1 * position)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let mut names = 1..;
        let factor = expression(scope, node, &mut names, &self.factor, 0);
        let x = scope.reference(input);
        match scope.documents() {
            None => quote!(nn::position_gain(#x, |position| #factor)).into(),
            Some(documents) => quote!(#documents.position_gain(#x, |position| #factor)).into(),
        }
    }

    /// `(1 + 0.1 * position) · x`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        Term::product(format!("({}) · {}", self.factor, input.as_factor()))
    }
}

/// The expression in Rust, in parentheses if it holds together less than `least`: 1 is a term of a sum, 2 a factor, 3 a
/// divisor.
fn expression(
    scope: &mut Scope<'_>,
    node: &Node,
    names: &mut impl Iterator<Item = usize>,
    factor: &OfPosition,
    least: u8,
) -> TokenStream {
    let (own, tokens) = match factor {
        OfPosition::Position => (4, quote!(position)),
        OfPosition::Number(PerLayer::Uniform(number)) => (4, literal::float(*number)),
        OfPosition::Number(number) => {
            let name = format!("factor_{}", names.next().unwrap_or(1));
            (4, scope.constant(node, &name, number))
        }
        OfPosition::Negate(inner) => {
            let inner = expression(scope, node, names, inner, 3);
            (2, quote!(-#inner))
        }
        OfPosition::Operate(Operator::Power, sides) => {
            let [base, exponent] = sides.each_ref().map(|side| expression(scope, node, names, side, 0));
            (4, quote!(f64::powf(#base, #exponent)))
        }
        OfPosition::Operate(operator, sides) => {
            let (own, sign) = match operator {
                Operator::Add => (1, quote!(+)),
                Operator::Subtract => (1, quote!(-)),
                Operator::Divide => (2, quote!(/)),
                Operator::Multiply | Operator::Power => (2, quote!(*)),
            };
            let [left, right] = &**sides;
            let left = expression(scope, node, names, left, own);
            let right = expression(scope, node, names, right, own + 1);
            (own, quote!(#left #sign #right))
        }
        OfPosition::Call(name, arguments) => {
            let function = format_ident!("{}", if *name == "log" { "ln" } else { name });
            let arguments: Vec<TokenStream> =
                arguments.iter().map(|argument| expression(scope, node, names, argument, 0)).collect();
            (4, quote!(f64::#function(#(#arguments),*)))
        }
    };
    if own < least { quote!((#tokens)) } else { tokens }
}
