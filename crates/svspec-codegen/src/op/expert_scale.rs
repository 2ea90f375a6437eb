//! `expert_scale` to a method of the choice.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use crate::scale;
use quote::quote;
use svspec_ir::op::ExpertScale;
use svspec_ir::{Model, Node, ValueId};

impl Code for ExpertScale {
    /// `chosen.scale(&x, &self.experts_up_out_scale)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [x, chosen] = *operands(&node.inputs);
        let gamma = scale::gamma(scope, self.scale);
        let (x, chosen) = (scope.reference(x), scope.receiver(chosen));
        quote!(#chosen.scale(#x, #gamma)).into()
    }

    /// `γ[experts.up.out_scale][chosen] ⊙ x`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [x, chosen] = operands(inputs);
        let vector = model.scales.get(self.scale.0);
        let symbol = vector.map_or(String::new(), |vector| scale::symbol(&vector.path, vector.form));
        Term::product(format!("{symbol}[{}] ⊙ {}", chosen.text, x.as_factor()))
    }
}
