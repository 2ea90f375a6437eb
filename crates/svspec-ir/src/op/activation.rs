//! Element-wise non-linearities.
#![expect(clippy::indexing_slicing, reason = "an array of constants of its own length")]

use super::{Cost, Kept, Operation, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// Input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x · sigmoid(x)`
    Silu,
    /// `x · Φ(x)`, exact
    Gelu,
    /// The tanh approximation of gelu
    GeluTanh,
    /// The sigmoid approximation of gelu, `x · sigmoid(1.702 · x)`
    GeluQuick,
    /// `x` where it is positive, else `exp(x) − 1`
    Elu,
    /// `max(x, 0)`
    Relu,
    /// `max(x, 0)²`
    Relu2,
    /// `log(1 + exp(x))`
    Softplus,
    /// `exp(x)`
    Exp,
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(−x))`
    Sigmoid,
}

impl Operation for Activation {
    fn name(&self) -> &'static str {
        self.word()
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("an activation")
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        Ok(x.to_vec())
    }

    /// One operation per arithmetic step, a transcendental function counting as one. `relu2` keeps `max(x, 0)`.
    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        let (steps, kept) = match self {
            Self::Relu | Self::Exp | Self::Tanh => (1.0, 0.0),
            Self::Relu2 => (2.0, 1.0),
            Self::Elu => (2.0, 0.0),
            Self::Softplus | Self::Sigmoid => (3.0, 0.0),
            Self::Silu => (4.0, 0.0),
            Self::Gelu | Self::GeluQuick => (5.0, 0.0),
            Self::GeluTanh => (8.0, 0.0),
        };
        Cost { flops: steps * values, saved: kept * values, traffic: 2.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        match self {
            Self::Silu | Self::Gelu | Self::GeluTanh | Self::GeluQuick | Self::Softplus => true,
            Self::Elu | Self::Relu | Self::Relu2 | Self::Exp | Self::Tanh | Self::Sigmoid => false,
        }
    }

    fn keeps_output(&self) -> bool {
        match self {
            Self::Elu | Self::Relu | Self::Exp | Self::Tanh | Self::Sigmoid => true,
            Self::Silu | Self::Gelu | Self::GeluTanh | Self::GeluQuick | Self::Relu2 | Self::Softplus => {
                false
            }
        }
    }

    fn result_kind(&self) -> ResultKind {
        match self {
            Self::Softplus => ResultKind::F32,
            Self::Silu
            | Self::Gelu
            | Self::GeluTanh
            | Self::GeluQuick
            | Self::Elu
            | Self::Relu
            | Self::Relu2
            | Self::Exp
            | Self::Tanh
            | Self::Sigmoid => ResultKind::Input,
        }
    }

    /// What is computed in f32 keeps its input's copy.
    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        if self.result_kind() == ResultKind::F32 {
            kept.own += work.widened;
        }
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    /// Not even `relu`, since an entry of γ may be negative.
    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked(format!("through `{}`, which is not linear", self.name()))
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        x.map(|x| self.value(x))
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        vec![Some(gradient.zip(x, |g, x| g * self.slope(x)))]
    }
}

/// The coefficient of the cube in the tanh approximation (arXiv 1606.08415).
const GELU_CUBIC: f64 = 0.044_715;

/// The slope of the sigmoid approximation (arXiv 1606.08415).
const GELU_QUICK: f64 = 1.702;

impl Activation {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Silu,
        Self::Gelu,
        Self::GeluTanh,
        Self::GeluQuick,
        Self::Elu,
        Self::Relu,
        Self::Relu2,
        Self::Softplus,
        Self::Exp,
        Self::Tanh,
        Self::Sigmoid,
    ];

    /// Their names, in that order.
    pub const NAMES: [&'static str; Self::ALL.len()] = Self::names();

    const fn names() -> [&'static str; Self::ALL.len()] {
        let mut names = [""; Self::ALL.len()];
        let mut index = 0;
        while index < names.len() {
            names[index] = Self::ALL[index].word();
            index += 1;
        }
        names
    }

    /// What equations and the setting `activation` call it.
    const fn word(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::GeluQuick => "gelu_quick",
            Self::Elu => "elu",
            Self::Relu => "relu",
            Self::Relu2 => "relu2",
            Self::Softplus => "softplus",
            Self::Exp => "exp",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|activation| activation.name() == name)
    }

    fn value(self, x: f64) -> f64 {
        match self {
            Self::Silu => x * sigmoid(x),
            Self::Gelu => x * normal_cdf(x),
            Self::GeluTanh => 0.5 * x * (1.0 + gelu_inner(x).tanh()),
            Self::GeluQuick => x * sigmoid(GELU_QUICK * x),
            Self::Elu => x.max(0.0) + x.min(0.0).exp_m1(),
            Self::Relu => x.max(0.0),
            Self::Relu2 => x.max(0.0).powi(2),
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Exp => x.exp(),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => sigmoid(x),
        }
    }

    /// The derivative; 0 at the kink of `relu`.
    fn slope(self, x: f64) -> f64 {
        match self {
            Self::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
            Self::Gelu => {
                let density = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (-0.5 * x * x).exp();
                normal_cdf(x) + x * density
            }
            Self::GeluTanh => {
                let tanh = gelu_inner(x).tanh();
                let inner = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (1.0 + 3.0 * GELU_CUBIC * x * x);
                0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner
            }
            Self::GeluQuick => {
                let gate = sigmoid(GELU_QUICK * x);
                gate * (1.0 + GELU_QUICK * x * (1.0 - gate))
            }
            Self::Elu => x.min(0.0).exp(),
            Self::Relu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Self::Relu2 => 2.0 * x.max(0.0),
            Self::Softplus => sigmoid(x),
            Self::Exp => x.exp(),
            Self::Tanh => 1.0 - x.tanh().powi(2),
            Self::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn gelu_inner(x: f64) -> f64 {
    FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (x + GELU_CUBIC * x * x * x)
}

/// Φ(x), to about 1e-16 absolute: `erf(z) = 2/√π · exp(−z²) · Σ 2ⁿ z²ⁿ⁺¹ / (2n + 1)!!`, whose terms all have one sign.
fn normal_cdf(x: f64) -> f64 {
    let z = x * FRAC_1_SQRT_2;
    if z.abs() > 6.0 {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut n) = (z, z, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * z * z / (2.0 * n + 1.0);
        sum += term;
    }
    0.5 * (1.0 + FRAC_2_SQRT_PI * (-z * z).exp() * sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        for activation in Activation::ALL {
            Trial::new().check(&activation, &[&[5]]);
        }
    }

    /// Values from tables of the functions.
    #[test]
    fn known_values() {
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        close(normal_cdf(1.0), 0.841_344_746_068_542_9);
        close(normal_cdf(-2.5), 0.006_209_665_325_776_132);
        close(Activation::Gelu.value(0.0), 0.0);
        close(Activation::Silu.value(1.0), 0.731_058_578_630_004_9);
        close(Activation::Relu2.value(3.0), 9.0);
        close(Activation::Elu.value(3.0), 3.0);
        close(Activation::Elu.value(-1.0), -0.632_120_558_828_557_7);
        close(Activation::Softplus.value(0.0), std::f64::consts::LN_2);
        close(Activation::Softplus.value(800.0), 800.0);
        close(Activation::Exp.value(-1.0), 0.367_879_441_171_442_3);
        // 1 / (1 + exp(−1.702))
        close(Activation::GeluQuick.value(1.0), 0.845_795_765_932_821_2);
        assert!((Activation::GeluTanh.value(1.0) - 0.841_191_990_608_276_8).abs() < 1e-9);
    }
}
