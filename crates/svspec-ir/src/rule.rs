//! A rule as the passes see it: a verb with its value, what it selects, and under which conditions.

mod amount;

use crate::group::RuleText;
use crate::param::ScalePart;
use crate::{ParamKind, Role, Site, Split, Unit};
use svspec_syntax::ast::Comparison;

pub use amount::Amount;

/// One statement of an `optimizer` block, every name in it understood. Of an ordered list, a later rule wins.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedRule {
    /// What it sets.
    pub verb: Verb,
    /// Any of which may match.
    pub selectors: Vec<Selector>,
    /// All of which must hold.
    pub conditions: Vec<Condition>,
    /// Its text and place, for tables and messages.
    pub text: RuleText,
    /// The lints that a comment at the rule silences.
    pub allow: Vec<String>,
}

/// What a rule sets. A value that depends on the layer reaches only tensors of the stack; one that names a fan, matrices.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// `decay 0.1`: the decoupled weight decay.
    Decay(Amount),
    /// `lr 0.5`: multiplies the learning rate.
    LearningRate(Amount),
    /// `init normal(0.02)`: how the tensor is filled at step 0.
    Init(InitValue),
    /// `use muon`: what steps the tensor.
    Use(Use),
    /// `betas (0.9, 0.99)`: AdamW's β1 and β2.
    Betas((f64, f64)),
    /// `eps 1e-10`: AdamW's ε.
    Eps(f64),
    /// `unit rows`, `unit off`: what has norm 1 at step 0 and after every step.
    Unit(Option<Unit>),
    /// `clip off`: whether the gradient counts in, and is scaled by, clipping.
    Clip(Clipping),
}

/// An init whose number may differ from tensor to tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum InitValue {
    /// Gaussian with mean 0 and this standard deviation.
    Normal(Amount),
    /// The same, cut off at three standard deviations.
    TruncatedNormal(Amount),
    /// Uniform between the number and its negative.
    Uniform(Amount),
    /// Every entry the same.
    Constant(Amount),
}

/// An algorithm by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `adamw`
    AdamW,
    /// `muon`, `muon(head)`
    Muon(Split),
    /// `sgd`
    Sgd,
}

/// Whether clipping applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clipping {
    /// It does; the default.
    On,
    /// It does not.
    Off,
}

/// Which tensors a rule is about, before its conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `all`
    All,
    /// `weight`, `embedding`, `scale`, `bias`
    Kind(ParamKind),
    /// `attn.o`: every tensor whose path starts with these segments, in whatever region.
    Path(Vec<String>),
}

/// A test of one tensor. One about scale vectors never holds of another tensor, negated or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// What is tested.
    pub test: Test,
    /// Whether `not` stands before it, or the comparison is `!=`.
    pub negated: bool,
}

/// What a condition tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// `role == input`: the role that is proved of the scale vector.
    Role(Role),
    /// `site == linear_output`: where the scale vector was placed.
    Site(Site),
    /// `part == direction`: which component of its parameterisation.
    Part(ScalePart),
    /// `absorbable`: the scale vector folds exactly into neighbouring weights.
    Absorbable,
    /// `layer < 4`: the depth, from 1; never holds outside the stack.
    Layer(Comparison, f64),
}

impl Verb {
    /// Which of the verbs it is, value aside: rules of one verb override each other.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Decay(_) => "decay",
            Self::LearningRate(_) => "lr",
            Self::Init(_) => "init",
            Self::Use(_) => "use",
            Self::Betas(_) => "betas",
            Self::Eps(_) => "eps",
            Self::Unit(_) => "unit",
            Self::Clip(_) => "clip",
        }
    }

    /// Its number, if it has one.
    pub fn amount(&self) -> Option<&Amount> {
        match self {
            Self::Decay(amount) | Self::LearningRate(amount) => Some(amount),
            Self::Init(init) => Some(match init {
                InitValue::Normal(amount)
                | InitValue::TruncatedNormal(amount)
                | InitValue::Uniform(amount)
                | InitValue::Constant(amount) => amount,
            }),
            Self::Use(_) | Self::Betas(_) | Self::Eps(_) | Self::Unit(_) | Self::Clip(_) => None,
        }
    }
}
