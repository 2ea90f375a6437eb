//! `choose` to the runtime's choice of experts, which the other ops of a mixture share.

use super::{Code, Emitted, Term, operands, path};
use crate::literal;
use crate::model::{Scope, Variable};
use quote::quote;
use svspec_ir::op::{Choose, Scores};
use svspec_ir::{Model, Node, ValueId};

impl Code for Choose {
    /// `let experts_chosen = nn::Choice::largest(&logits, NUM_CHOSEN);`, after statements for the scores where these
    /// are not the logits.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [logits] = *operands(&node.inputs);
        let num_chosen = scope.around.constants.product(&node.dims);
        let mut scores = scope.reference(logits);
        if self.correction.is_some() || self.groups.is_some() {
            let dims = scope.dims(logits).to_vec();
            let name = scope.variable(&node.name.replace("chosen", "scores"), &dims);
            let kind = super::route::scores(self.scores);
            let sum = self.correction.map(|correction| {
                let correction = scope.parameter(correction.param);
                quote!(+ &#correction)
            });
            let compared = if self.compares_scores() {
                quote!(#kind.of(#scores))
            } else {
                let logits = scope.receiver(logits);
                quote!(#logits)
            };
            scope.statements.push(quote!(let #name = #compared.detach() #sum;));
            if let Some(groups) = self.groups {
                let [count, num_chosen, num_summed] = [groups.count, groups.num_chosen, groups.num_summed]
                    .map(|size| literal::integer(size as u64));
                let groups =
                    quote!(nn::Groups { count: #count, num_chosen: #num_chosen, num_summed: #num_summed });
                scope.statements.push(quote!(let #name = nn::within_groups(&#name, #groups);));
            }
            scores = quote!(&#name);
        }
        let name = scope.bind(&node.name, &quote!(nn::Choice::largest(#scores, #num_chosen)));
        if let Some(correction) = self.correction.filter(|correction| correction.rate > 0.0) {
            let (vector, rate) = (scope.parameter(correction.param), literal::float(correction.rate));
            scope.statements.push(quote!(collected.loads.push(#name.load(&#vector, #rate));));
        }
        Emitted::Known(Variable::Owned(name))
    }

    /// `top_2(logits)`.
    fn equation(&self, model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [logits] = operands(inputs);
        let mut scores = logits.text.clone();
        if self.correction.is_some() || self.groups.is_some() {
            scores = match self.scores {
                _ if !self.compares_scores() => scores,
                Scores::Softmax => format!("softmax({scores})"),
                Scores::Sigmoid => format!("sigmoid({scores})"),
            };
        }
        if let Some(correction) = self.correction {
            scores = format!("{scores} + c[{}]", path(model, correction.param));
        }
        if let Some(groups) = self.groups {
            scores = format!("{scores}, within {} of {} groups", groups.num_chosen, groups.count);
        }
        Term::atom(format!("top_{}({scores})", self.num_chosen))
    }
}
