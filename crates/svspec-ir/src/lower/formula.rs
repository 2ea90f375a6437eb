//! The right side of an equation in; nodes out.

use super::linear::DEFAULT_STD;
use super::parameters::NewParam;
use super::region::{RegionBuilder, dims_text};
use crate::op::{Add, Embed, Gain, Mul, SoftCap};
use crate::resolve::{Formula, FormulaKind};
use crate::{Init, Op, ParamKind, ValueId};
use svspec_diagnostics::{Diagnostic, Span};

/// What a node of a formula is called.
#[derive(Clone, Copy)]
enum Naming<'a> {
    /// It is the whole right side: after what is assigned.
    Whole(&'a str),
    /// It is within the right side of this name: after that and what it is.
    Within(&'a str),
}

impl Naming<'_> {
    fn name(self, what: &str) -> String {
        match self {
            Self::Whole(assigned) => assigned.to_owned(),
            Self::Within(assigned) => format!("{assigned}_{what}"),
        }
    }

    fn within(self) -> Self {
        let (Self::Whole(assigned) | Self::Within(assigned)) = self;
        Self::Within(assigned)
    }
}

impl RegionBuilder<'_, '_> {
    /// Adds the nodes of a formula. Arithmetic at its top is named after what is assigned.
    pub(super) fn formula(&mut self, formula: &Formula, assigned: &str) -> Option<ValueId> {
        self.term(formula, Naming::Whole(assigned))
    }

    fn term(&mut self, formula: &Formula, naming: Naming<'_>) -> Option<ValueId> {
        let span = formula.span;
        let within = naming.within();
        match &formula.kind {
            FormulaKind::Name(name) => self.value(name),
            FormulaKind::Embed => self.embed(&naming.name("embedded"), span),
            FormulaKind::Part(index, argument) => {
                let x = self.term(argument, within)?;
                let resolved = self.lowering.resolved;
                let part = resolved.parts.get(*index)?;
                (part.kind.expand)(self, part, x)
            }
            FormulaKind::Activation(activation, argument) => {
                let x = self.term(argument, within)?;
                self.same_dims(&naming.name("activated"), Op::Activation(*activation), x, "", span)
            }
            FormulaKind::SoftCap(argument, cap) => {
                let x = self.term(argument, within)?;
                self.same_dims(&naming.name("capped"), Op::SoftCap(SoftCap { cap: *cap }), x, "", span)
            }
            FormulaKind::Gain(factor, argument) => {
                let x = self.term(argument, within)?;
                self.same_dims(
                    &naming.name("multiple"),
                    Op::Gain(Gain { factor: factor.clone() }),
                    x,
                    "",
                    span,
                )
            }
            FormulaKind::Add(left, right) => {
                self.pair(Op::Add(Add), ["add", "sum"], [left, right], naming, span)
            }
            FormulaKind::Mul(left, right) => {
                self.pair(Op::Mul(Mul), ["multiply", "product"], [left, right], naming, span)
            }
        }
    }

    fn pair(
        &mut self,
        op: Op,
        [verb, what]: [&str; 2],
        [left, right]: [&Formula; 2],
        naming: Naming<'_>,
        span: Span,
    ) -> Option<ValueId> {
        let a = self.term(left, naming.within());
        let b = self.term(right, naming.within());
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
        self.node(&naming.name(what), op, vec![a, b], dims, "", span)
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
