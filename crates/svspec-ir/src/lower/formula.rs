//! The right side of an equation in; nodes out.

use super::linear::DEFAULT_STD;
use super::parameters::NewParam;
use super::region::{RegionBuilder, dims_text};
use crate::op::{Add, Embed, Gain, Mul, SoftCap};
use crate::resolve::{Formula, FormulaKind};
use crate::{Init, Op, ParamKind, ValueId};
use svspec_diagnostics::{Diagnostic, Span};

impl RegionBuilder<'_, '_> {
    /// Adds the nodes of a formula. Arithmetic at its top is named after what is assigned, `name`.
    pub(super) fn formula(&mut self, formula: &Formula, name: &str) -> Option<ValueId> {
        let span = formula.span;
        match &formula.kind {
            FormulaKind::Name(name) => self.value(name),
            FormulaKind::Embed => self.embed(name, span),
            FormulaKind::Part(index, argument) => {
                let x = self.formula(argument, &inner(name))?;
                let resolved = self.lowering.resolved;
                let part = resolved.parts.get(*index)?;
                (part.kind.expand)(self, part, x)
            }
            FormulaKind::Activation(activation, argument) => {
                let x = self.formula(argument, &inner(name))?;
                self.same_dims(name, Op::Activation(*activation), x, "", span)
            }
            FormulaKind::SoftCap(argument, cap) => {
                let x = self.formula(argument, &inner(name))?;
                self.same_dims(name, Op::SoftCap(SoftCap { cap: *cap }), x, "", span)
            }
            FormulaKind::Gain(factor, argument) => {
                let x = self.formula(argument, &inner(name))?;
                self.same_dims(name, Op::Gain(Gain { factor: factor.clone() }), x, "", span)
            }
            FormulaKind::Add(left, right) => self.pair(Op::Add(Add), "add", [left, right], name, span),
            FormulaKind::Mul(left, right) => self.pair(Op::Mul(Mul), "multiply", [left, right], name, span),
        }
    }

    fn pair(&mut self, op: Op, verb: &str, sides: [&Formula; 2], name: &str, span: Span) -> Option<ValueId> {
        let [left, right] = sides;
        let a = self.formula(left, &inner(name));
        let b = self.formula(right, &inner(name));
        let (a, b) = (a?, b?);
        let sizes = |value: ValueId| self.dims(value).iter().map(|dim| dim.size);
        if !sizes(a).eq(sizes(b)) {
            let (a, b) = (dims_text(self.dims(a)), dims_text(self.dims(b)));
            self.report(
                Diagnostic::error("dimension-mismatch", format!("cannot {verb} `{a}` and `{b}`"))
                    .at(right.span, b)
                    .because(left.span, a)
                    .help(
                        "both sides have the same dimensions; a `linear` part changes the number of channels",
                    ),
            );
            return None;
        }
        let dims = self.dims(a).to_vec();
        self.node(name, op, vec![a, b], dims, "", span)
    }

    fn embed(&mut self, name: &str, span: Span) -> Option<ValueId> {
        let tokens = self.value("tokens")?;
        let width = self.width_dim();
        let table = self.param(NewParam {
            path: "embed.weight".to_owned(),
            kind: ParamKind::Embedding,
            scale_part: None,
            dims: vec![self.vocab_dim(), width.clone()],
            num_out_dims: 0,
            init: Init::Normal { std: DEFAULT_STD },
            span,
        })?;
        self.node(name, Op::Embed(Embed { table }), vec![tokens], vec![width], "embed", span)
    }
}

/// The name of arithmetic within the formula of `name`.
fn inner(name: &str) -> String {
    if name.ends_with("_term") { name.to_owned() } else { format!("{name}_term") }
}
