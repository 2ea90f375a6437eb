//! What the rules make of each tensor, and the groups that follow.

use crate::{Algorithm, Init, Instance, Unit};
use serde::Serialize;
use svspec_diagnostics::Span;

/// A rule as printed in tables: its text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleText {
    /// `decay 0.1 on scale where role == input`, as the formatter writes it.
    pub text: String,
    /// The file's name and line: `nano.svspec:31`. Not in generated code's prints where paths would differ.
    pub place: String,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
}

/// What the rules say of one tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assignment {
    /// Which tensor.
    pub instance: Instance,
    /// Weight decay, decoupled; multiplied by the learning rate in the step, whatever steps it.
    pub decay: f64,
    /// The index in `CheckedModel::rules` of the rule that set it; `None` of what the optimizer leaves alone, which no rule
    /// reaches.
    pub decay_rule: Option<usize>,
    /// What steps it.
    pub algorithm: Algorithm,
    /// The rule that chose it; `None`: the block's, AdamW.
    pub algorithm_rule: Option<usize>,
    /// The rules that set AdamW's `betas` and `eps`; `None`: the block's.
    pub constant_rules: [Option<usize>; 2],
    /// Multiplies the learning rate.
    pub lr_multiplier: f64,
    /// The rule that set it; `None`: the default of 1.
    pub lr_rule: Option<usize>,
    /// Whether its gradient counts in and is scaled by clipping.
    pub clipped: bool,
    /// The rule that set it; `None`: the default of true.
    pub clip_rule: Option<usize>,
    /// Its init.
    pub init: Init,
    /// The rule that set it; `None`: the parameter's default.
    pub init_rule: Option<usize>,
    /// What of it is kept at norm 1.
    pub unit: Option<Unit>,
    /// The rule that set it; `None`: the default of nothing.
    pub unit_rule: Option<usize>,
}

/// Tensors that the optimizer treats alike because the same rules reached them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// `weight`, `scale_input`: from the decay rule's selectors and conditions; unique in the model.
    pub name: String,
    /// What steps them.
    pub algorithm: Algorithm,
    /// Weight decay.
    pub decay: f64,
    /// Multiplies the learning rate.
    pub lr_multiplier: f64,
    /// Whether clipping applies.
    pub clipped: bool,
    /// What of each is kept at norm 1.
    pub unit: Option<Unit>,
    /// The indices of the rules that made it, decay's first; none if the optimizer leaves it alone.
    pub rules: Vec<usize>,
    /// Its tensors, in the model's order.
    pub members: Vec<Instance>,
}
