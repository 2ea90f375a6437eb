//! Numbers that depend on a token's position in its sequence.

use crate::arithmetic::Operator;
use crate::print::number::shortest;
use crate::{PerLayer, arithmetic};
use serde::{Serialize, Serializer};
use std::fmt;

/// An expression of the position, counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum OfPosition {
    /// The position itself.
    Position,
    /// A number.
    Number(PerLayer),
    /// `−a`
    Negate(Box<Self>),
    /// `a operator b`
    Operate(Operator, Box<[Self; 2]>),
    /// One of [`arithmetic::FUNCTIONS`] of as many as it takes.
    Call(&'static str, Vec<Self>),
}

impl OfPosition {
    /// Its value at a position; of layers that have numbers of their own, in one of them, from 0.
    pub fn at(&self, position: usize, layer: Option<usize>) -> f64 {
        match self {
            Self::Position => position as f64,
            Self::Number(number) => number.at(layer),
            Self::Negate(inner) => -inner.at(position, layer),
            Self::Operate(operator, sides) => {
                let [left, right] = sides.each_ref().map(|side| side.at(position, layer));
                arithmetic::operate(*operator, left, right)
            }
            Self::Call(name, arguments) => {
                let values: Vec<f64> =
                    arguments.iter().map(|argument| argument.at(position, layer)).collect();
                arithmetic::call(name, &values).unwrap_or(f64::NAN)
            }
        }
    }

    /// Its numbers, from left to right.
    pub fn numbers_mut(&mut self) -> Vec<&mut PerLayer> {
        match self {
            Self::Position => Vec::new(),
            Self::Number(number) => vec![number],
            Self::Negate(inner) => inner.numbers_mut(),
            Self::Operate(_, sides) => sides.iter_mut().flat_map(Self::numbers_mut).collect(),
            Self::Call(_, arguments) => arguments.iter_mut().flat_map(Self::numbers_mut).collect(),
        }
    }

    /// How closely it holds together: what holds less than an operator stands in parentheses beside it.
    fn precedence(&self) -> u8 {
        match self {
            Self::Position | Self::Number(_) | Self::Call(..) => 4,
            Self::Negate(_) => 2,
            Self::Operate(operator, _) => precedence(*operator),
        }
    }
}

fn precedence(operator: Operator) -> u8 {
    match operator {
        Operator::Add | Operator::Subtract => 1,
        Operator::Multiply | Operator::Divide => 2,
        Operator::Power => 3,
    }
}

impl fmt::Display for OfPosition {
    /// As a spec has it: `1 + 0.1 * log(1 + floor(position / 8192))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |f: &mut fmt::Formatter<'_>, inner: &Self, least: u8| {
            if inner.precedence() < least { write!(f, "({inner})") } else { write!(f, "{inner}") }
        };
        match self {
            Self::Position => f.write_str("position"),
            Self::Number(PerLayer::Uniform(number)) => f.write_str(&shortest(*number)),
            Self::Number(PerLayer::Each(_)) => f.write_str("c[layer]"),
            Self::Negate(inner) => {
                f.write_str("-")?;
                within(f, inner, 3)
            }
            Self::Operate(operator, sides) => {
                let [left, right] = &**sides;
                let own = precedence(*operator);
                within(f, left, own + u8::from(*operator == Operator::Power))?;
                f.write_str(match operator {
                    Operator::Add => " + ",
                    Operator::Subtract => " - ",
                    Operator::Multiply => " * ",
                    Operator::Divide => " / ",
                    Operator::Power => " ^ ",
                })?;
                within(f, right, own + 1)
            }
            Self::Call(name, arguments) => {
                let shown: Vec<String> = arguments.iter().map(Self::to_string).collect();
                write!(f, "{name}({})", shown.join(", "))
            }
        }
    }
}

impl Serialize for OfPosition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
