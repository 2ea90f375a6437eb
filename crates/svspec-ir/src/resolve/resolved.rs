//! A target with every name in it understood: plain data, ready to be lowered.

use crate::foreign::{ForeignName, Layout};
use crate::lower::function::Function;
use crate::lower::part::PartKind;
use crate::op::Norm;
use crate::rule::ResolvedRule;
use crate::{OfPosition, Optimizer, PerLayer, Role, ScaleForm, Train};
use std::collections::BTreeMap;
use svspec_diagnostics::Span;

/// One model or variant.
#[derive(Debug)]
pub struct Resolved {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Vec<String>,
    /// From the root to the target.
    pub lineage: Vec<String>,
    /// Where its name stands.
    pub span: Span,
    /// The number of token ids.
    pub vocab: usize,
    /// The longest sequence.
    pub context: usize,
    /// The residual stream's width.
    pub width: usize,
    /// The token id that ends a document, if documents are apart.
    pub document_end: Option<usize>,
    /// The channels of the embedding table.
    pub embed_width: usize,
    /// Whether the unembedding is the embedding table.
    pub head: HeadWeight,
    /// Every part that is declared, and the implicit `unembed` last.
    pub parts: Vec<Part>,
    /// The embedding equation's right side.
    pub embed: Formula,
    /// The layers as declared, in order.
    pub layers: Vec<Layer>,
    /// The kinds of layer, in the order of `layers`: one for each, or several where sizes differ with the depth.
    pub kinds: Vec<LayerKind>,
    /// The kind at each depth: indices into `kinds`.
    pub stack: Vec<usize>,
    /// The logits' right side.
    pub logits: Formula,
    /// What the `tensors` blocks say.
    pub tensors: TensorStatements,
    /// In order; a later one wins.
    pub rules: Vec<ResolvedRule>,
    /// The optimizer's settings.
    pub optimizer: Optimizer,
    /// The training settings.
    pub train: Train,
}

impl Resolved {
    /// Takes away the kinds of layer that the stack has not; whether there were any.
    pub fn leave_out_unused_kinds(&mut self) -> bool {
        let is_used: Vec<bool> = (0..self.kinds.len()).map(|kind| self.stack.contains(&kind)).collect();
        for kind in &mut self.stack {
            *kind = is_used.iter().take(*kind).filter(|is_used| **is_used).count();
        }
        let mut used = is_used.iter().copied();
        self.kinds.retain(|_| used.next().unwrap_or(true));
        is_used.contains(&false)
    }
}

/// Names in checkpoints of other software.
#[derive(Debug, Default)]
pub struct TensorStatements {
    /// In order; a later one replaces an earlier one that names one of its tensors.
    pub statements: Vec<TensorStatement>,
    /// Tensors that are no parameters.
    pub ignored: Vec<ForeignName>,
}

/// One foreign tensor, in one kind of layer or wherever its parameters are.
#[derive(Clone, Debug)]
pub struct TensorStatement {
    /// The paths of the parameters that it holds, in order, each with its place.
    pub members: Vec<(String, Span)>,
    /// The layer that this is said of: an index into `Resolved::layers`.
    pub layer: Option<usize>,
    /// Its name.
    pub name: ForeignName,
    /// Where the name stands.
    pub name_span: Span,
    /// How they lie in it, but for the blocks.
    pub layout: Layout,
    /// `num_blocks` of the layout in each layer.
    pub num_blocks: PerLayer,
    /// Whether the target's own block says it.
    pub origin: Origin,
    /// The whole statement.
    pub span: Span,
}

/// Who says a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The target itself.
    Own,
    /// A base, or a variant that it takes over.
    Inherited,
}

/// What the unembedding multiplies with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadWeight {
    /// A matrix of its own.
    Own,
    /// The embedding table: tied.
    Embedding,
}

/// Layers whose parts and functions have the same sizes.
#[derive(Debug)]
pub struct LayerKind {
    /// The declared layer's name, with the first depth, from 0, where there are several kinds of it.
    pub name: String,
    /// An index into `Resolved::layers`.
    pub layer: usize,
    /// The parts that are of other sizes here than in `Resolved::parts`, by their index there.
    pub parts: BTreeMap<usize, Part>,
}

/// A layer as declared.
#[derive(Debug)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// In order.
    pub equations: Vec<Equation>,
}

/// `name = formula`
#[derive(Debug)]
pub struct Equation {
    /// What is assigned.
    pub name: String,
    /// The right side.
    pub formula: Formula,
    /// The whole statement.
    pub span: Span,
}

/// The right side of an equation, with its place.
#[derive(Debug)]
pub struct Formula {
    /// What it is.
    pub kind: FormulaKind,
    /// Where it stands.
    pub span: Span,
}

/// A value of the data flow.
#[derive(Debug)]
pub enum FormulaKind {
    /// A name assigned earlier, the residual stream `x`, or `tokens` where a part takes these.
    Name(String),
    /// `embed(tokens)`
    Embed,
    /// A part applied: its index in `Resolved::parts`, and a value for each of its kind's inputs.
    Part(usize, Vec<Formula>),
    /// A part of a kind that a file defines, applied: its name, equations that give the arguments and its own values
    /// names that no other equation has, and its result.
    Composite {
        /// The part.
        name: String,
        /// In order; first one for each argument.
        equations: Vec<Equation>,
        /// Its value.
        result: Box<Formula>,
    },
    /// A part that applies another to what it makes of its argument.
    Around {
        /// The outer part: its index in `Resolved::parts`.
        part: usize,
        /// What it is applied to.
        argument: Box<Formula>,
        /// The name that `inner` has for what the inner part is applied to; no equation has it.
        given: String,
        /// The inner part, applied.
        inner: Box<Formula>,
    },
    /// A function of the language applied to values.
    Call(Function, Vec<Formula>),
    /// A constant times a value.
    Gain(PerLayer, Box<Formula>),
    /// A number that depends on the position times a value.
    PositionGain(OfPosition, Box<Formula>),
    /// A sum.
    Add(Box<Formula>, Box<Formula>),
    /// An element-wise product.
    Mul(Box<Formula>, Box<Formula>),
}

/// A part with its settings and what is placed at its ports.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static PartKind,
    /// Where its name is declared.
    pub span: Span,
    /// By name; absent ones are missing.
    pub settings: BTreeMap<&'static str, PartSetting>,
    /// What is placed where.
    pub stages: BTreeMap<Place, Stage>,
}

/// A setting's value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct PartSetting {
    /// The value.
    pub value: SettingValue,
    /// Where the value stands; `None` for a default.
    pub span: Option<Span>,
}

/// The value of a part's setting.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    /// A number; whole where the setting is a count.
    Number(f64),
    /// One for each layer of the stack; those of layers that do not use the part mean nothing.
    Each(Vec<f64>),
    /// A list.
    Several(Vec<f64>),
    /// One of the setting's words.
    Word(&'static str),
    /// A block that is there.
    Present,
}

/// Where something may be placed in a part. Ports of parts that are one linear map are named `""`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The part itself: a norm's vector, a `scale` part's.
    Own,
    /// Before a linear map.
    In(&'static str),
    /// After a linear map.
    Out(&'static str),
}

/// A normalisation, a scale, or both, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The normalisation.
    pub normalize: Option<StageNormalize>,
    /// The scale vector.
    pub scale: Option<StageScale>,
    /// The additive vector of a LayerNorm, after the scale.
    pub bias: Option<Span>,
    /// The statement that placed it.
    pub span: Span,
}

/// A normalisation at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct StageNormalize {
    /// The statistic.
    pub norm: Norm,
    /// Over what.
    pub axis: Axis,
    /// Added under the root.
    pub eps: PerLayer,
}

/// What a normalisation runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// All channels.
    Full,
    /// `head_dim`, each head by itself.
    Head,
}

/// A scale vector at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct StageScale {
    /// Its size.
    pub extent: Extent,
    /// How γ is computed.
    pub form: ScaleForm,
    /// γ at step 0.
    pub init: PerLayer,
    /// The role the author claims.
    pub asserted: Option<(Role, Span)>,
}

/// How many entries a scale vector has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One per channel.
    Full,
    /// `head_dim`, shared by the heads.
    Head,
    /// One per head.
    PerHead,
    /// One per channel, for each expert.
    PerExpert,
    /// One.
    Scalar,
}

impl Part {
    /// A number that all layers of a kind share; `None` if the setting is absent.
    pub fn number(&self, setting: &str) -> Option<f64> {
        self.per_layer(setting)?.uniform()
    }

    /// A number; `None` if the setting is absent.
    pub fn per_layer(&self, setting: &str) -> Option<PerLayer> {
        match &self.settings.get(setting)?.value {
            SettingValue::Number(value) => Some(PerLayer::Uniform(*value)),
            SettingValue::Each(values) => Some(PerLayer::Each(values.clone())),
            SettingValue::Several(_) | SettingValue::Word(_) | SettingValue::Present => None,
        }
    }

    /// A whole number; `None` if the setting is absent.
    pub fn count(&self, setting: &str) -> Option<usize> {
        self.number(setting).map(|value| value as usize)
    }

    /// A word; `None` if the setting is absent.
    pub fn word(&self, setting: &str) -> Option<&'static str> {
        match self.settings.get(setting)?.value {
            SettingValue::Word(word) => Some(word),
            SettingValue::Number(_)
            | SettingValue::Each(_)
            | SettingValue::Several(_)
            | SettingValue::Present => None,
        }
    }

    /// Several numbers; `None` if the setting is absent.
    pub fn numbers(&self, setting: &str) -> Option<&[f64]> {
        match &self.settings.get(setting)?.value {
            SettingValue::Several(values) => Some(values),
            SettingValue::Number(_)
            | SettingValue::Each(_)
            | SettingValue::Word(_)
            | SettingValue::Present => None,
        }
    }

    /// Whether a block is there.
    pub fn has(&self, setting: &str) -> bool {
        self.settings.contains_key(setting)
    }

    /// Where a setting was written, else the part's declaration.
    pub fn place(&self, setting: &str) -> Span {
        self.settings.get(setting).and_then(|setting| setting.span).unwrap_or(self.span)
    }

    /// Whether a setting was written rather than left to its default.
    pub fn is_written(&self, setting: &str) -> bool {
        self.settings.get(setting).is_some_and(|setting| setting.span.is_some())
    }

    /// The path of the scale vector at a place.
    pub fn scale_path(&self, place: Place) -> String {
        match place {
            Place::Own => format!("{}.scale", self.name),
            Place::In(port) => format!("{}.in_scale", self.port_path(port)),
            Place::Out(port) => format!("{}.out_scale", self.port_path(port)),
        }
    }

    /// `attn.q`; of a part that is one linear map, its name.
    pub fn port_path(&self, port: &str) -> String {
        if port.is_empty() { self.name.clone() } else { format!("{}.{port}", self.name) }
    }
}
