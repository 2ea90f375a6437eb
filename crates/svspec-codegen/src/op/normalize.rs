//! `normalize` to a call of the runtime's, which takes in the sum before an RMS norm.

use super::{Code, Emitted, Term, operands};
use crate::literal;
use crate::model::{Scope, Variable, live_values};
use quote::{format_ident, quote};
use svspec_ir::op::{Norm, Normalize};
use svspec_ir::{Model, Node, Op, Precision, Region, ValueId};

impl Code for Normalize {
    /// `nn::rms_norm(&x, num_axes, eps)`, or `nn::add_rms_norm(…)` with the sum that it reads; `…_for_products` where these are
    /// computed in bf16 and alone read it.
    fn emit(&self, scope: &mut Scope<'_>, id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let eps = scope.constant(node, "eps", &self.eps);
        let num_axes = literal::integer(self.num_axes as u64);
        if self.norm == Norm::Layer {
            let x = scope.reference(input);
            return quote!(nn::layer_norm(#x, #num_axes, #eps)).into();
        }
        let is_rounded =
            scope.around.model.train.precision != Precision::F32 && scope.region.is_for_products(id);
        let function = |name: &str| format_ident!("{name}{}", if is_rounded { "_for_products" } else { "" });
        if scope.is_defined(input) {
            let (function, x) = (function("rms_norm"), scope.reference(input));
            return quote!(nn::#function(#x, #num_axes, #eps)).into();
        }
        let sum = scope.node(input);
        let [a, b] = *operands(&sum.inputs);
        let (function, a, b) = (function("add_rms_norm"), scope.reference(a), scope.reference(b));
        let [of_sum, of_norm] = [sum, node].map(|node| scope.variable(&node.name, &node.dims));
        scope.statements.push(quote!(let (#of_sum, #of_norm) = nn::#function(#a, #b, #num_axes, #eps);));
        scope.define(input, Variable::Owned(of_sum));
        Emitted::Known(Variable::Owned(of_norm))
    }

    /// `Norm(x)` over all dimensions of one token, or named otherwise.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        let function = match self.norm {
            Norm::Rms => "Norm",
            Norm::Layer => "LayerNorm",
        };
        Term::atom(format!("{function}({})", input.text))
    }
}

/// Whether an RMS norm reads the sum called `id` before something else does, and so makes it.
pub fn makes_sum(region: &Region, id: ValueId) -> bool {
    let node = |id: ValueId| region.nodes.get(id.0);
    let dims = |id: ValueId| node(id).map(|node| &node.dims);
    let has_one_size =
        node(id).is_some_and(|sum| sum.inputs.iter().all(|&side| dims(side) == Some(&sum.dims)));
    let live = live_values(region);
    let readers = region.nodes.iter().enumerate().filter(|(_, node)| node.inputs.contains(&id));
    let mut live_readers = readers.filter(|(index, _)| live.contains(&ValueId(*index)));
    let is_rms = |node: &Node| matches!(&node.op, Op::Normalize(op) if op.norm == Norm::Rms);
    let is_read_first = live_readers.next().is_some_and(|(_, first)| is_rms(first));
    has_one_size && is_read_first && (live_readers.next().is_some() || region.hands_on(id))
}
