//! The functions of values: for each what it is given, and the nodes that it becomes. Nothing outside this folder knows one; a
//! new one is a new file and its lines here. Activations are functions, too, and stand in [their op's file](Activation).

mod clamp;
mod concat;
mod delay;
mod join_heads;
mod slice;
mod softcap;
mod split_heads;

use super::formula::Naming;
use super::part::Range;
use super::region::RegionBuilder;
use crate::resolve::Formula;
use crate::{Activation, Op, PerLayer, ValueId};
use svspec_diagnostics::Span;

/// Every function that is no activation.
const FUNCTIONS: [&FunctionKind; 7] = [
    &softcap::KIND,
    &clamp::KIND,
    &delay::KIND,
    &slice::KIND,
    &concat::KIND,
    &split_heads::KIND,
    &join_heads::KIND,
];

/// One function of values and numbers.
#[derive(Debug)]
pub struct FunctionKind {
    /// Its name.
    pub name: &'static str,
    /// The values that it is given first, as messages name them; an ellipsis stands for any number more.
    pub values: &'static [&'static str],
    /// The numbers after them.
    pub numbers: &'static [Argument],
    /// What its numbers bound, if they are two of which the first is the smaller.
    pub bounds: Option<Bounds>,
    /// Adds its nodes; the result, or `None` after a diagnostic.
    expand: fn(&mut RegionBuilder<'_, '_>, &Call<'_>) -> Option<ValueId>,
}

/// One number that a function is given.
#[derive(Debug)]
pub struct Argument {
    /// As messages name it.
    pub name: &'static str,
    /// What it may be.
    pub takes: Amount,
}

/// What a number of a function may be.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// A number, of which the layers of one kind may have one each.
    Number(Range),
    /// A whole number from 1 on. Where it differs, layers are of different kinds.
    Size,
    /// A whole number from 0 on. Where it differs, layers are of different kinds.
    SizeFromZero,
}

/// The words for two numbers that are not in order.
#[derive(Debug)]
pub struct Bounds {
    /// What would lie between them.
    pub nothing: &'static str,
    /// What is wrong.
    pub label: &'static str,
    /// What to write.
    pub help: &'static str,
}

/// A function of the language, with the numbers that it was given.
#[derive(Clone, Debug)]
pub enum Function {
    /// A non-linearity: `silu(x)`.
    Activation(Activation),
    /// Any other.
    Other {
        /// Which.
        kind: &'static FunctionKind,
        /// Its numbers, as many as the kind's.
        numbers: Vec<PerLayer>,
    },
}

/// The function of that name that is no activation.
pub fn named(name: &str) -> Option<&'static FunctionKind> {
    FUNCTIONS.into_iter().find(|kind| kind.name == name)
}

/// Every function's name, activations first.
pub fn names() -> Vec<&'static str> {
    Activation::NAMES.into_iter().chain(FUNCTIONS.iter().map(|kind| kind.name)).collect()
}

impl FunctionKind {
    /// What it is given, in order.
    pub fn inputs(&self) -> Vec<&'static str> {
        let numbers = self.numbers.iter().map(|argument| argument.name);
        self.values.iter().copied().chain(numbers).collect()
    }

    /// It with what it is given, as messages show it: `clamp(x, low, high)`.
    pub fn shown(&self) -> String {
        format!("{}({})", self.name, self.inputs().join(", "))
    }
}

impl Function {
    /// Those of its numbers that give values their sizes.
    pub fn sizes(&self) -> impl Iterator<Item = &PerLayer> {
        let (arguments, numbers) = match self {
            Self::Activation(_) => (&[][..], &[][..]),
            Self::Other { kind, numbers } => (kind.numbers, numbers.as_slice()),
        };
        let sizes = arguments.iter().zip(numbers).filter(|(argument, _)| match argument.takes {
            Amount::Size | Amount::SizeFromZero => true,
            Amount::Number(_) => false,
        });
        sizes.map(|(_, number)| number)
    }
}

/// A function applied.
struct Call<'c> {
    /// Its values.
    values: &'c [ValueId],
    /// Their formulas.
    arguments: &'c [Formula],
    /// Its numbers.
    numbers: &'c [PerLayer],
    /// What its node is called.
    naming: Naming<'c>,
    /// Where it stands.
    span: Span,
}

impl Call<'_> {
    /// The only value, or the first.
    fn x(&self) -> ValueId {
        *self.values.first().expect("the resolver counted the arguments")
    }

    /// The numbers, of a function that has `N`.
    fn numbers<const N: usize>(&self) -> [&PerLayer; N] {
        let numbers: Vec<&PerLayer> = self.numbers.iter().collect();
        numbers.try_into().expect("the resolver counted the arguments")
    }

    /// Numbers that are sizes, as they are in the layers of this kind.
    fn sizes<const N: usize>(&self, region: &RegionBuilder<'_, '_>) -> [usize; N] {
        self.numbers().map(|number| number.at(region.depth()) as usize)
    }
}

impl RegionBuilder<'_, '_> {
    /// Adds the nodes of a function applied to `values`, which are those of `arguments`.
    pub(super) fn call(
        &mut self,
        function: &Function,
        values: &[ValueId],
        arguments: &[Formula],
        naming: Naming<'_>,
        span: Span,
    ) -> Option<ValueId> {
        match function {
            Function::Activation(activation) => {
                let &x = values.first()?;
                self.same_dims(&naming.name("activated"), Op::Activation(*activation), x, "", span)
            }
            Function::Other { kind, numbers } => {
                (kind.expand)(self, &Call { values, arguments, numbers, naming, span })
            }
        }
    }
}
