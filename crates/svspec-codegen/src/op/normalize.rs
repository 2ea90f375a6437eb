//! `normalize` to a call of the runtime's.

use super::{Code, Emitted, Term, operands};
use crate::literal;
use crate::model::Scope;
use quote::quote;
use svspec_ir::op::{Norm, Normalize};
use svspec_ir::{Model, Node, Precision, ValueId};

impl Code for Normalize {
    /// `nn::rms_norm(&x, num_axes, eps)`, or `nn::rms_norm_for_products(…)` where these are computed in bf16 and alone read it.
    fn emit(&self, scope: &mut Scope<'_>, id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let eps = scope.constant(node, "eps", &self.eps);
        let x = scope.reference(input);
        let num_axes = literal::integer(self.num_axes as u64);
        let is_rounded =
            scope.around.model.train.precision != Precision::F32 && scope.region.is_for_products(id);
        Emitted::Expression(match self.norm {
            Norm::Rms if is_rounded => quote!(nn::rms_norm_for_products(#x, #num_axes, #eps)),
            Norm::Rms => quote!(nn::rms_norm(#x, #num_axes, #eps)),
            Norm::Layer => quote!(nn::layer_norm(#x, #num_axes, #eps)),
        })
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
