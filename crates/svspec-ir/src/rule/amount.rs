//! The number of a rule, which may depend on the tensor: on its layer, and on how many channels a matrix reads and makes.

use crate::{Param, PerLayer, arithmetic};
use svspec_syntax::ast::Operator;

/// A number of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    /// Known before any tensor is, layer by layer at most.
    Known(PerLayer),
    /// `fan_in`: the channels that one output of the matrix sums over.
    FanIn,
    /// `fan_out`: the outputs of the matrix.
    FanOut,
    /// `-a`
    Negated(Box<Amount>),
    /// `a + b`
    Binary(Operator, Box<Amount>, Box<Amount>),
    /// A function of [`arithmetic::FUNCTIONS`].
    Call(String, Vec<Amount>),
}

impl From<PerLayer> for Amount {
    fn from(value: PerLayer) -> Self {
        Self::Known(value)
    }
}

impl Amount {
    /// The number for a tensor of `param` in `layer`; `None` if it names a fan, and the tensor is no matrix.
    pub fn of(&self, param: &Param, layer: Option<usize>) -> Option<f64> {
        match self {
            Self::Known(value) => Some(value.at(layer)),
            Self::FanIn => param.fans().map(|(fan_in, _)| fan_in as f64),
            Self::FanOut => param.fans().map(|(_, fan_out)| fan_out as f64),
            Self::Negated(inner) => inner.of(param, layer).map(|value| -value),
            Self::Binary(operator, left, right) => {
                Some(arithmetic::operate(*operator, left.of(param, layer)?, right.of(param, layer)?))
            }
            Self::Call(name, arguments) => {
                let values: Option<Vec<f64>> =
                    arguments.iter().map(|argument| argument.of(param, layer)).collect();
                arithmetic::call(name, &values?)
            }
        }
    }

    /// Whether it differs from layer to layer, and so has no value outside the stack.
    pub fn is_per_layer(&self) -> bool {
        match self {
            Self::Known(PerLayer::Uniform(_)) | Self::FanIn | Self::FanOut => false,
            Self::Known(PerLayer::Each(_)) => true,
            Self::Negated(inner) => inner.is_per_layer(),
            Self::Binary(_, left, right) => left.is_per_layer() || right.is_per_layer(),
            Self::Call(_, arguments) => arguments.iter().any(Self::is_per_layer),
        }
    }

    /// Whether it names a fan, which only a matrix has.
    pub fn names_fan(&self) -> bool {
        match self {
            Self::Known(_) => false,
            Self::FanIn | Self::FanOut => true,
            Self::Negated(inner) => inner.names_fan(),
            Self::Binary(_, left, right) => left.names_fan() || right.names_fan(),
            Self::Call(_, arguments) => arguments.iter().any(Self::names_fan),
        }
    }
}
