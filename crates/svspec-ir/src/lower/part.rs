//! The kinds of part: for each its settings, its ports, its own checks, and how it expands to ops.
//! Nothing outside this folder knows a kind; a new one is a new file and a line in [`KINDS`].

mod attend;
mod attention;
mod bias;
mod gated;
mod linear;
mod mlp;
pub(super) mod moe;
mod norm;
mod positions;
mod rope;
mod scale;
mod sinusoids;
mod unembed;

use super::region::RegionBuilder;
use crate::op::Norm;
use crate::resolve::{Extent, Part};
use crate::{Activation, ValueId};
use svspec_diagnostics::Diagnostic;

/// One kind of part.
#[derive(Debug)]
pub struct PartKind {
    /// The word that declares it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// What it is applied to, in order; messages show these names.
    pub inputs: &'static [&'static str],
    /// What may be set.
    pub settings: &'static [Setting],
    /// Its linear maps.
    pub ports: Ports,
    /// What a placement without `in` or `out` is about.
    pub own: Own,
    /// Checks of settings against each other; `width` is the model's.
    pub check: fn(&Part, usize, &mut Vec<Diagnostic>),
    /// Adds its nodes, given one value for each of `inputs`; the result, or `None` after a diagnostic.
    pub expand: fn(&mut RegionBuilder<'_, '_>, &Part, &[ValueId]) -> Option<ValueId>,
}

/// The linear maps of a part.
#[derive(Clone, Copy, Debug)]
pub enum Ports {
    /// None.
    None,
    /// The part is one.
    Itself,
    /// By name.
    Named(&'static [&'static str]),
}

/// What stands at a part's own place before any placement.
#[derive(Clone, Copy, Debug)]
pub enum Own {
    /// Nothing can.
    Nothing,
    /// A normalisation, followed by a scale vector and a bias or not.
    Norm(Norm, NormVectors),
    /// A scale vector.
    Scale,
}

/// What follows a norm part's normalisation.
#[derive(Clone, Copy, Debug)]
pub enum NormVectors {
    /// A scale vector.
    Scale,
    /// A scale vector, and a bias unless the setting `bias` is off.
    ScaleAndBias,
    /// Nothing.
    None,
}

/// One setting of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name; `rope.theta` is one within the block `rope`.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds where it is not written.
    pub preset: Preset,
    /// What it means, in one line.
    pub summary: &'static str,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// A whole number from 1 on. It gives values their shapes: where it differs, layers are of different kinds.
    Count,
    /// A whole number from 0 on.
    CountFromZero,
    /// A number. Where it differs, layers are of different kinds.
    Number(Range),
    /// A whole number from 1 on, of which the layers of one kind may have one each.
    CountPerLayer,
    /// A number, of which the layers of one kind may have one each.
    NumberPerLayer(Range),
    /// One number or several, between parentheses.
    Numbers(Range),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Settings of its own, between braces.
    Block,
    /// The name of a part that is applied within this one.
    Part,
}

/// The numbers that a setting accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Range {
    Any,
    Positive,
    NotZero,
    NotNegative,
    /// `0 < x ≤ 1`
    Fraction,
    /// `0 ≤ x < 1`
    BelowOne,
    /// `0 ≤ x ≤ 1`
    UpToOne,
}

/// Finds a setting of the same part, or of the model.
pub type Sibling<'a> = &'a mut dyn FnMut(&str) -> Option<f64>;

/// What holds where a setting is not written.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    /// It must be written, within a block only if that is there.
    Required,
    /// The feature is off; `none` says so too.
    Absent,
    /// What another setting of the part says; unlike `Absent`, a word for "no" is a value.
    Inherited,
    /// This number.
    Number(f64),
    /// This word.
    Word(&'static str),
    /// A number that follows from others.
    Derived {
        /// As documentation shows it.
        formula: &'static str,
        /// The number; `None` if one that it needs is at fault.
        compute: fn(Sibling<'_>) -> Option<f64>,
    },
}

/// Every kind that a spec can declare.
pub const KINDS: [&PartKind; 16] = [
    &attention::ATTENTION,
    &attend::ATTEND,
    &rope::ROPE,
    &gated::SWIGLU,
    &gated::GEGLU,
    &gated::GATED,
    &mlp::MLP,
    &moe::MOE,
    &norm::RMS_NORM,
    &norm::LAYER_NORM,
    &norm::NORMALIZE,
    &scale::SCALE,
    &bias::BIAS_VECTOR,
    &positions::POSITIONS,
    &sinusoids::SINUSOIDS,
    &linear::LINEAR,
];

/// The implicit kind of `unembed`.
pub const UNEMBED: &PartKind = &unembed::UNEMBED;

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static PartKind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

impl Setting {
    /// The block that it stands in: `rope` of `rope.theta`.
    pub fn block(&self) -> Option<&'static str> {
        self.name.rsplit_once('.').map(|(block, _)| block)
    }

    /// Whether the layers of one kind may have a value each.
    pub fn is_per_layer(&self) -> bool {
        match self.takes {
            Takes::CountPerLayer | Takes::NumberPerLayer(_) => true,
            Takes::Count
            | Takes::CountFromZero
            | Takes::Number(_)
            | Takes::Numbers(_)
            | Takes::Word(_)
            | Takes::Block
            | Takes::Part => false,
        }
    }

    /// The same under another name.
    const fn within(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

impl PartKind {
    /// The names of its settings.
    pub fn setting_names(&self) -> Vec<&'static str> {
        self.settings.iter().map(|setting| setting.name).collect()
    }

    /// The size of its own scale vector where no placement says otherwise.
    pub fn own_extent(part_size: Option<&str>) -> Extent {
        match part_size {
            Some("scalar") => Extent::Scalar,
            Some(_) | None => Extent::Full,
        }
    }
}

/// `eps` of every normalisation.
const EPS: Setting = Setting {
    name: "eps",
    takes: Takes::NumberPerLayer(Range::NotNegative),
    preset: Preset::Number(1e-5),
    summary: "added under the root",
};

/// `bias` of a part whose linear maps all have one or none.
const BIAS: Setting = Setting {
    name: "bias",
    takes: Takes::Word(&["on", "off"]),
    preset: Preset::Word("off"),
    summary: "an additive vector on every linear map",
};

/// `q.bias` of a part: overrides its `bias` for one linear map.
const fn port_bias(name: &'static str) -> Setting {
    Setting {
        name,
        takes: Takes::Word(&["on", "off"]),
        preset: Preset::Inherited,
        summary: "an additive vector on this linear map, whatever `bias` says",
    }
}

/// Whether an additive vector follows the linear map `port`.
fn has_bias(part: &Part, port: &str) -> bool {
    match part.word(&format!("{port}.bias")).or_else(|| part.word("bias")) {
        Some("qkv") => port != "o",
        said => said == Some("on"),
    }
}

/// `activation` of a part that has one.
const ACTIVATION: Setting = Setting {
    name: "activation",
    takes: Takes::Word(&Activation::NAMES),
    preset: Preset::Word("gelu"),
    summary: "the non-linearity",
};

/// The values that a part is applied to.
fn operands<const N: usize>(inputs: &[ValueId]) -> [ValueId; N] {
    inputs.try_into().expect("an equation gives a part as many values as its kind's `inputs`")
}

/// Nothing to check.
fn no_check(_: &Part, _: usize, _: &mut Vec<Diagnostic>) {}
