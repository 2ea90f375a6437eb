//! `input` to an argument of the function.

use super::{Code, Emitted, Term};
use crate::model::Scope;
use svspec_ir::op::Input;
use svspec_ir::{Model, Node, ValueId};

impl Code for Input {
    /// The argument itself.
    fn emit(&self, scope: &mut Scope<'_>, _id: ValueId, node: &Node) -> Emitted {
        Emitted::Known(scope.argument(*self, node))
    }

    /// Its name.
    fn equation(&self, _model: &Model, node: &Node, _inputs: &[Term]) -> Term {
        Term::atom(node.name.as_str())
    }
}
