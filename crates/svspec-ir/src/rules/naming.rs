//! Readable names for groups: the decay rule's selectors and conditions as far as the group's tensors bear them out.

use crate::param::ScalePart;
use crate::rule::{Condition, ResolvedRule, Selector, Test};
use crate::{Group, Model, Param, ParamKind, Role, Site};
use std::collections::{BTreeMap, BTreeSet};
use svspec_syntax::ast::Comparison;

/// Names `groups`, each fit for an identifier, no two alike.
pub(super) fn name(model: &Model, groups: &mut [Group], rules: &[ResolvedRule]) {
    let mut taken = BTreeSet::new();
    let mut algorithms: BTreeMap<String, &'static str> = BTreeMap::new();
    for group in groups {
        let members: Vec<&Param> =
            group.members.iter().filter_map(|member| model.params.get(member.param.0)).collect();
        let mut name = base(&members, group.rules.first().and_then(|&rule| rules.get(rule)));
        let algorithm = group.algorithm.family();
        if *algorithms.entry(name.clone()).or_insert(algorithm) != algorithm {
            name = format!("{name}_{algorithm}");
        }
        if taken.contains(&name) && !group.clipped {
            name.push_str("_unclipped");
        }
        if let Some(unit) = group.unit.filter(|_| taken.contains(&name)) {
            name.push_str("_unit_");
            name.push_str(unit.name());
        }
        if taken.contains(&name) && group.lr_multiplier.total_cmp(&1.0).is_ne() {
            name.push_str("_lr");
        }
        let unique = std::iter::once(name.clone())
            .chain((2..=taken.len() + 1).map(|number| format!("{name}_{number}")))
            .find(|name| !taken.contains(name))
            .unwrap_or(name);
        taken.insert(unique.clone());
        group.name = unique;
    }
}

fn base(members: &[&Param], decay_rule: Option<&ResolvedRule>) -> String {
    let Some(rule) = decay_rule else { return kinds(members).join("_") };
    let mut words: Vec<String> = Vec::new();
    for selector in &rule.selectors {
        match selector {
            Selector::All => words.extend(kinds(members)),
            Selector::Kind(kind) if members.iter().any(|member| member.kind == *kind) => {
                words.push(kind_word(*kind).to_owned());
            }
            Selector::Path(segments) if members.iter().any(|member| starts_with(member, segments)) => {
                words.push(segments.join("_"));
            }
            Selector::Kind(_) | Selector::Path(_) => {}
        }
    }
    words.extend(rule.conditions.iter().map(condition_word));
    words.join("_")
}

fn starts_with(param: &Param, segments: &[String]) -> bool {
    let mut path = param.path.split('.');
    segments.iter().all(|segment| path.next() == Some(segment))
}

fn kinds(members: &[&Param]) -> Vec<String> {
    let kinds: BTreeSet<ParamKind> = members.iter().map(|member| member.kind).collect();
    kinds.into_iter().map(|kind| kind_word(kind).to_owned()).collect()
}

fn kind_word(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Weight => "weight",
        ParamKind::Embedding => "embedding",
        ParamKind::Scale => "scale",
        ParamKind::Bias => "bias",
        ParamKind::Router => "router",
        ParamKind::Correction => "correction",
    }
}

fn condition_word(condition: &Condition) -> String {
    let word = match condition.test {
        Test::Role(role) => {
            let is_input = (role == Role::Input) != condition.negated;
            return if is_input { "input" } else { "output" }.to_owned();
        }
        Test::Site(Site::Norm) => "norm".to_owned(),
        Test::Site(Site::LinearInput) => "linear_input".to_owned(),
        Test::Site(Site::LinearOutput) => "linear_output".to_owned(),
        Test::Site(Site::QkHead) => "qk_head".to_owned(),
        Test::Site(Site::Residual) => "residual".to_owned(),
        Test::Part(ScalePart::Whole) => "whole".to_owned(),
        Test::Part(ScalePart::Magnitude) => "magnitude".to_owned(),
        Test::Part(ScalePart::Direction) => "direction".to_owned(),
        Test::Absorbable => "absorbable".to_owned(),
        Test::Layer(comparison, depth) => {
            let relation = match comparison {
                Comparison::Equal => "at",
                Comparison::NotEqual => "not_at",
                Comparison::Less => "before",
                Comparison::LessEqual => "to",
                Comparison::Greater => "after",
                Comparison::GreaterEqual => "from",
            };
            format!("{relation}_layer_{}", depth.to_string().replace('.', "_").replace('-', "minus_"))
        }
    };
    if condition.negated { format!("not_{word}") } else { word }
}
