//! The right side of an equation in; nodes out.

use super::linear::DEFAULT_STD;
use super::parameters::NewParam;
use super::part::moe;
use super::region::{RegionBuilder, dims_text};
use crate::op::{Add, Embed, Gain, Mul, PositionGain, add, broadcast};
use crate::resolve::{Formula, FormulaKind};
use crate::{DefaultInit, Op, ParamKind, ValueId};
use svspec_diagnostics::{Diagnostic, Span};

/// What a node of a formula is called.
#[derive(Clone, Copy)]
pub(super) enum Naming<'a> {
    /// It is the whole right side: after what is assigned.
    Whole(&'a str),
    /// It is within the right side of this name: after that and what it is.
    Within(&'a str),
}

impl Naming<'_> {
    pub(super) fn name(self, what: &str) -> String {
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
            FormulaKind::Part(index, arguments) => {
                let values = self.terms(arguments, within)?;
                let part = self.part(*index)?;
                self.apply(part, &values, span)
            }
            FormulaKind::Around { part, argument, given, inner } => {
                let x = self.term(argument, within)?;
                let part = self.part(*part)?;
                moe::around(self, part, &[x], |region, tokens| {
                    region.assign(given, tokens);
                    region.formula(inner, &part.name)
                })
            }
            FormulaKind::Composite { name, equations, result } => {
                for equation in equations {
                    let value = self.formula(&equation.formula, &equation.name)?;
                    self.assign(&equation.name, value);
                }
                self.formula(result, name)
            }
            FormulaKind::Call(function, arguments) => {
                let values = self.terms(arguments, within)?;
                self.call(function, &values, arguments, naming, span)
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
            FormulaKind::PositionGain(factor, argument) => {
                let x = self.term(argument, within)?;
                let op = Op::PositionGain(PositionGain { factor: factor.clone() });
                self.same_dims(&naming.name("multiple"), op, x, "", span)
            }
            FormulaKind::Add(left, right) => {
                let (a, b) = self.sides(left, right, naming);
                let (a, b) = (a?, b?);
                let Some(dims) = add::sum_dims(self.dims(a), self.dims(b)) else {
                    let cure = "both sides have the same dimensions, or one of them has one head; a `linear` part \
                                changes the number of channels";
                    return self.mismatch("add", [(left, a), (right, b)], cure);
                };
                self.node(&naming.name("sum"), Op::Add(Add), vec![a, b], dims, "", span)
            }
            FormulaKind::Mul(left, right) => {
                let (a, b) = self.sides(left, right, naming);
                let (a, b) = (a?, b?);
                let Some(dims) = broadcast::broadcast_dims(self.dims(a), self.dims(b)) else {
                    let cure = "both sides have the same dimensions, or one of them has one channel or one head; \
                                a `linear` part changes the number of channels";
                    return self.mismatch("multiply", [(left, a), (right, b)], cure);
                };
                self.node(&naming.name("product"), Op::Mul(Mul), vec![a, b], dims, "", span)
            }
        }
    }

    /// The values of all arguments; faults of each are reported.
    fn terms(&mut self, arguments: &[Formula], naming: Naming<'_>) -> Option<Vec<ValueId>> {
        let values: Vec<Option<ValueId>> =
            arguments.iter().map(|argument| self.term(argument, naming)).collect();
        values.into_iter().collect()
    }

    /// The values of both sides of an operator; faults of each are reported.
    fn sides(
        &mut self,
        left: &Formula,
        right: &Formula,
        naming: Naming<'_>,
    ) -> (Option<ValueId>, Option<ValueId>) {
        (self.term(left, naming.within()), self.term(right, naming.within()))
    }

    /// Reports that two values do not go together.
    fn mismatch(&mut self, verb: &str, sides: [(&Formula, ValueId); 2], cure: &str) -> Option<ValueId> {
        let [(left, a), (right, b)] =
            sides.map(|(formula, value)| (formula.span, dims_text(self.dims(value))));
        self.report(
            Diagnostic::error("dimension-mismatch", format!("cannot {verb} `{a}` and `{b}`"))
                .at(right, b)
                .because(left, a)
                .help(cure),
        );
        None
    }

    fn embed(&mut self, name: &str, span: Span) -> Option<ValueId> {
        let tokens = self.value("tokens")?;
        let width = self.embed_dim();
        let table = self.param(NewParam {
            path: "embed.weight".to_owned(),
            kind: ParamKind::Embedding,
            scale_part: None,
            dims: vec![self.vocab_dim(), width.clone()],
            num_out_dims: 0,
            init: DefaultInit::Normal { std: DEFAULT_STD },
            span,
        })?;
        self.node(name, Op::Embed(Embed { table }), vec![tokens], vec![width], "embed", span)
    }
}
