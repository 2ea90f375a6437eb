//! `scale` to a multiplication by γ.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use crate::scale;
use quote::quote;
use svspec_ir::op::Scale;
use svspec_ir::{Model, Node, ValueId};

impl Code for Scale {
    /// `&x * &self.attn_norm_scale`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let gamma = scale::gamma(scope, self.scale);
        let x = scope.reference(input);
        quote!(#x * #gamma).into()
    }

    /// `γ[attn_norm.scale] ⊙ x`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        let vector = model.scales.get(self.scale.0);
        let symbol = vector.map_or(String::new(), |vector| scale::symbol(&vector.path, vector.form));
        Term::product(format!("{symbol} ⊙ {}", input.as_factor()))
    }
}
