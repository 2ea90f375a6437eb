//! From a model, its proved facts and an ordered list of rules to what each tensor gets, and the parameter groups.

mod amounts;
mod coverage;
mod grouping;
mod matching;
mod muon;
mod naming;
mod unit;

use crate::param::ScalePart;
use crate::rule::{Clipping, InitValue, ResolvedRule, Use, Verb};
use crate::{
    Algorithm, Assignment, Group, Init, Instance, Model, Optimizer, Param, ParamKind, ScaleFacts, ScaleVector,
};
use serde::Serialize;
use std::collections::BTreeSet;
use svspec_diagnostics::Diagnostic;

/// What the rules make of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleOutcome {
    /// For each tensor that some decay rule reaches, in the order of `Model::instances`.
    pub assignments: Vec<Assignment>,
    /// The groups that follow, in the order of their decay rules.
    pub groups: Vec<Group>,
    /// For each rule, how far it reaches; the file-wide lints add these up over targets.
    pub hits: Vec<Hits>,
    /// `parameter-without-decay`, once per kind of tensor; `out-of-range`, tensors that Muon cannot step and such that have
    /// no norm to divide by, once per rule.
    pub diagnostics: Vec<Diagnostic>,
}

/// How far a rule reaches in one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// The number of tensors it matches.
    pub matched: usize,
    /// The number of those whose value it still decides after every later rule.
    pub decides: usize,
}

/// A tensor as the rules see it.
#[derive(Clone, Copy, Debug)]
struct Tensor<'a> {
    instance: Instance,
    param: &'a Param,
    /// The scale vector it is part of, and what is proved of that.
    scale: Option<(&'a ScaleVector, &'a ScaleFacts, ScalePart)>,
}

/// Applies `rules`, of which a later one wins verb by verb, to every tensor of `model`. `facts` are those of
/// [`crate::roles::prove`] for the same model.
pub fn apply(model: &Model, facts: &[ScaleFacts], rules: &[ResolvedRule]) -> RuleOutcome {
    let mut hits = vec![Hits::default(); rules.len()];
    let mut assignments = Vec::new();
    let mut unreached = Vec::new();
    let mut diagnostics = Vec::new();
    // Rules whose number is out of range for some tensor, each reported once.
    let mut faulty = BTreeSet::new();
    for tensor in tensors(model, facts) {
        if tensor.param.kind == ParamKind::Correction {
            assignments.push(untouched(&tensor));
            continue;
        }
        let matching: Vec<usize> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| matching::matches(rule, &tensor))
            .map(|(index, _)| index)
            .collect();
        let deciding = Deciding::of(&matching, rules);
        // What is set of AdamW says nothing to a tensor that something else steps.
        let matching: Vec<usize> =
            matching.into_iter().filter(|&index| deciding.concerns(rules, index)).collect();
        for &index in &matching {
            if let Some(hit) = hits.get_mut(index) {
                hit.matched += 1;
                hit.decides += usize::from(deciding.contains(index));
            }
        }
        for index in deciding.indices() {
            let rule = rules.get(index).filter(|_| !faulty.contains(&index));
            if let Some(finding) = rule.and_then(|rule| amounts::out_of_range(model, &tensor, rule)) {
                diagnostics.push(finding);
                faulty.insert(index);
            }
        }
        match assign(&tensor, &deciding, rules, &model.optimizer) {
            Some(assignment) => assignments.push(assignment),
            None => unreached.push(tensor),
        }
    }
    let groups = grouping::groups(model, &assignments, rules);
    diagnostics.extend(coverage::without_decay(model, &unreached));
    diagnostics.extend(muon::unfit(model, &assignments, rules));
    diagnostics.extend(unit::of_zeros(model, &assignments, rules));
    RuleOutcome { assignments, groups, hits, diagnostics }
}

fn tensors<'a>(model: &'a Model, facts: &'a [ScaleFacts]) -> Vec<Tensor<'a>> {
    let instances = model.instances().into_iter();
    instances
        .filter_map(|instance| {
            let param = model.params.get(instance.param.0)?;
            let scales = model.scales.iter().enumerate();
            let owner = scales.filter(|(_, scale)| scale.params.contains(&instance.param)).find_map(
                |(index, scale)| {
                    let fact = facts.iter().find(|fact| fact.scale.0 == index)?;
                    Some((scale, fact, param.scale_part.unwrap_or(ScalePart::Whole)))
                },
            );
            Some(Tensor { instance, param, scale: owner })
        })
        .collect()
}

/// For each verb, the last rule that matches a tensor.
#[derive(Clone, Copy, Debug, Default)]
struct Deciding {
    decay: Option<usize>,
    lr: Option<usize>,
    init: Option<usize>,
    clip: Option<usize>,
    algorithm: Option<usize>,
    betas: Option<usize>,
    eps: Option<usize>,
    unit: Option<usize>,
}

impl Deciding {
    fn of(matching: &[usize], rules: &[ResolvedRule]) -> Self {
        let mut deciding = Self::default();
        for &index in matching {
            let Some(rule) = rules.get(index) else { continue };
            let slot = match rule.verb {
                Verb::Decay(_) => &mut deciding.decay,
                Verb::LearningRate(_) => &mut deciding.lr,
                Verb::Init(_) => &mut deciding.init,
                Verb::Clip(_) => &mut deciding.clip,
                Verb::Use(_) => &mut deciding.algorithm,
                Verb::Betas(_) => &mut deciding.betas,
                Verb::Eps(_) => &mut deciding.eps,
                Verb::Unit(_) => &mut deciding.unit,
            };
            *slot = Some(index);
        }
        if deciding.chosen(rules) != Use::AdamW {
            deciding.betas = None;
            deciding.eps = None;
        }
        deciding
    }

    /// What steps the tensor.
    fn chosen(&self, rules: &[ResolvedRule]) -> Use {
        match self.algorithm.and_then(|index| rules.get(index)).map(|rule| &rule.verb) {
            Some(Verb::Use(chosen)) => *chosen,
            Some(_) | None => Use::AdamW,
        }
    }

    /// Whether a rule that matches has a meaning for what steps the tensor.
    fn concerns(&self, rules: &[ResolvedRule], index: usize) -> bool {
        match rules.get(index).map(|rule| &rule.verb) {
            Some(Verb::Betas(_) | Verb::Eps(_)) => self.chosen(rules) == Use::AdamW,
            Some(
                Verb::Decay(_)
                | Verb::LearningRate(_)
                | Verb::Init(_)
                | Verb::Clip(_)
                | Verb::Use(_)
                | Verb::Unit(_),
            )
            | None => true,
        }
    }

    fn contains(&self, index: usize) -> bool {
        self.indices().any(|deciding| deciding == index)
    }

    fn indices(&self) -> impl Iterator<Item = usize> {
        [self.decay, self.lr, self.init, self.clip, self.algorithm, self.betas, self.eps, self.unit]
            .into_iter()
            .flatten()
    }
}

/// What the optimizer leaves alone.
fn untouched(tensor: &Tensor<'_>) -> Assignment {
    Assignment {
        instance: tensor.instance,
        decay: 0.0,
        decay_rule: None,
        algorithm: Algorithm::Load,
        algorithm_rule: None,
        constant_rules: [None; 2],
        lr_multiplier: 1.0,
        lr_rule: None,
        clipped: false,
        clip_rule: None,
        init: tensor.param.default_init.at(tensor.instance.layer),
        init_rule: None,
        unit: None,
        unit_rule: None,
    }
}

/// What the deciding rules say; `None` where no decay rule does.
fn assign(
    tensor: &Tensor<'_>,
    deciding: &Deciding,
    rules: &[ResolvedRule],
    optimizer: &Optimizer,
) -> Option<Assignment> {
    let layer = tensor.instance.layer;
    let decay_rule = Some(deciding.decay?);
    let mut assignment = Assignment {
        instance: tensor.instance,
        decay: 0.0,
        decay_rule,
        algorithm: match deciding.chosen(rules) {
            Use::AdamW => Algorithm::AdamW { betas: optimizer.betas, eps: optimizer.eps },
            Use::Muon(split) => Algorithm::Muon(split),
            Use::Sgd => Algorithm::Sgd,
        },
        algorithm_rule: deciding.algorithm,
        constant_rules: [deciding.betas, deciding.eps],
        lr_multiplier: 1.0,
        lr_rule: deciding.lr,
        clipped: true,
        clip_rule: deciding.clip,
        init: tensor.param.default_init.at(layer),
        init_rule: deciding.init,
        unit: None,
        unit_rule: deciding.unit,
    };
    for rule in deciding.indices().filter_map(|index| rules.get(index)) {
        // A rule that matches has a number; one that is no good was reported.
        let number = rule.verb.amount().and_then(|amount| amount.of(tensor.param, layer)).unwrap_or(0.0);
        match &rule.verb {
            Verb::Decay(_) => assignment.decay = number,
            Verb::LearningRate(_) => assignment.lr_multiplier = number,
            Verb::Init(init) => {
                assignment.init = match init {
                    InitValue::Normal(_) => Init::Normal { std: number },
                    InitValue::TruncatedNormal(_) => Init::TruncatedNormal { std: number },
                    InitValue::Uniform(_) => Init::Uniform { bound: number },
                    InitValue::Constant(_) => Init::Constant(number),
                }
            }
            Verb::Clip(clipping) => assignment.clipped = *clipping == Clipping::On,
            Verb::Betas(of_rule) => {
                if let Algorithm::AdamW { betas, .. } = &mut assignment.algorithm {
                    *betas = *of_rule;
                }
            }
            Verb::Eps(of_rule) => {
                if let Algorithm::AdamW { eps, .. } = &mut assignment.algorithm {
                    *eps = *of_rule;
                }
            }
            Verb::Unit(unit) => assignment.unit = *unit,
            Verb::Use(_) => {}
        }
    }
    Some(assignment)
}
