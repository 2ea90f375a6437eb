//! `activation` to a call of the runtime's function of the same name.

use super::{Code, Emitted, Term, operands};
use crate::model::Scope;
use quote::{format_ident, quote};
use svspec_ir::op::{Activation, Operation as _};
use svspec_ir::{Model, Node, ValueId};

impl Code for Activation {
    /// `nn::silu(&x)`.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        let [input] = *operands(&node.inputs);
        let x = scope.reference(input);
        let function = format_ident!("{}", self.name());
        quote!(nn::#function(#x)).into()
    }

    /// `silu(x)`.
    fn equation(&self, _model: &Model, _node: &Node, inputs: &[Term]) -> Term {
        let [input] = operands(inputs);
        Term::atom(format!("{}({})", self.name(), input.text))
    }
}
