//! Tensors of both models that the rules treat otherwise now: what the optimizer does to them, and their init.

use super::Class;
use crate::print::{self, params, paths};
use crate::{Assignment, CheckedModel};
use serde::Serialize;
use std::collections::BTreeMap;

/// Tensors that the optimizer now treats otherwise, all of them alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TreatmentChange {
    /// Their templates' paths: `final_norm.scale`.
    pub paths: String,
    /// How many tensors.
    pub num_tensors: usize,
    /// What they got.
    pub before: Treatment,
    /// What they get.
    pub after: Treatment,
    /// The rules that decide what changed, with their places.
    pub rules: Vec<String>,
    /// Always function-preserving.
    pub class: Class,
}

/// What the optimizer does to a tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Treatment {
    /// The group's name.
    pub group: String,
    /// What steps it, with the constants that rules set, and what is kept at norm 1.
    pub optimizer: String,
    /// Weight decay.
    pub decay: f64,
    /// Multiplies the learning rate.
    pub lr_multiplier: f64,
    /// Whether clipping applies.
    pub clipped: bool,
}

/// Tensors that now start otherwise, all of them alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InitChange {
    /// Their templates' paths.
    pub paths: String,
    /// How many tensors.
    pub num_tensors: usize,
    /// The old init.
    pub before: String,
    /// The new init.
    pub after: String,
    /// The rule that decides it now, with its place; `None`: the default.
    pub rule: Option<String>,
    /// Always function-preserving: a checkpoint has left its init behind.
    pub class: Class,
}

/// The tensors whose optimizer, decay, learning rate or clipping differs.
pub(super) fn groups(old: &CheckedModel, new: &CheckedModel) -> Vec<TreatmentChange> {
    let mut found: Vec<(TreatmentChange, Vec<String>)> = Vec::new();
    for (before, after) in pairs(old, new) {
        if is_treated_alike(before, after) && stepping(old, before) == stepping(new, after) {
            continue;
        }
        let is_stepped_alike = algorithm(old, before) == algorithm(new, after);
        let [betas_rule, eps_rule] = after.constant_rules;
        let changed = |is_alike: bool, rule: Option<usize>| rule.filter(|_| !is_alike);
        let rules = [
            changed(before.decay.total_cmp(&after.decay).is_eq(), after.decay_rule),
            changed(before.lr_multiplier.total_cmp(&after.lr_multiplier).is_eq(), after.lr_rule),
            changed(before.clipped == after.clipped, after.clip_rule),
            changed(is_stepped_alike, after.algorithm_rule),
            changed(is_stepped_alike, betas_rule),
            changed(is_stepped_alike, eps_rule),
            changed(before.unit == after.unit, after.unit_rule),
        ];
        let change = TreatmentChange {
            paths: String::new(),
            num_tensors: 0,
            before: treatment(old, before),
            after: treatment(new, after),
            rules: rules.into_iter().flatten().map(|rule| rule_text(new, rule)).collect(),
            class: Class::FunctionPreserving,
        };
        let path = path(new, after);
        match found
            .iter_mut()
            .find(|(known, _)| TreatmentChange { num_tensors: 0, ..known.clone() } == change)
        {
            Some((known, paths)) => {
                known.num_tensors += 1;
                paths.push(path);
            }
            None => found.push((TreatmentChange { num_tensors: 1, ..change }, vec![path])),
        }
    }
    found.into_iter().map(|(change, members)| TreatmentChange { paths: join(&members), ..change }).collect()
}

/// The matrices that are kept at norm 1 and were not, or along other axes; `None` if there are none.
pub(super) fn newly_unit(old: &CheckedModel, new: &CheckedModel) -> Option<String> {
    let is_new =
        |(before, after): &(&Assignment, &Assignment)| after.unit.is_some() && before.unit != after.unit;
    let found: Vec<String> =
        pairs(old, new).into_iter().filter(is_new).map(|(_, after)| path(new, after)).collect();
    (!found.is_empty()).then(|| join(&found))
}

/// The tensors whose init differs.
pub(super) fn init(old: &CheckedModel, new: &CheckedModel) -> Vec<InitChange> {
    let mut found: Vec<(InitChange, Vec<String>)> = Vec::new();
    for (before, after) in pairs(old, new) {
        if before.init == after.init {
            continue;
        }
        let change = InitChange {
            paths: String::new(),
            num_tensors: 0,
            before: params::init(before.init),
            after: params::init(after.init),
            rule: after.init_rule.map(|rule| rule_text(new, rule)),
            class: Class::FunctionPreserving,
        };
        let path = path(new, after);
        match found.iter_mut().find(|(known, _)| InitChange { num_tensors: 0, ..known.clone() } == change) {
            Some((known, paths)) => {
                known.num_tensors += 1;
                paths.push(path);
            }
            None => found.push((InitChange { num_tensors: 1, ..change }, vec![path])),
        }
    }
    found.into_iter().map(|(change, members)| InitChange { paths: join(&members), ..change }).collect()
}

/// The tensors that both models have, by name, in the new model's order.
fn pairs<'a>(old: &'a CheckedModel, new: &'a CheckedModel) -> Vec<(&'a Assignment, &'a Assignment)> {
    let name =
        |checked: &CheckedModel, assignment: &Assignment| checked.model().instance_name(assignment.instance);
    let before: BTreeMap<String, &Assignment> =
        old.assignments().iter().map(|assignment| (name(old, assignment), assignment)).collect();
    let pair = |after: &'a Assignment| before.get(&name(new, after)).map(|before| (*before, after));
    new.assignments().iter().filter_map(pair).collect()
}

fn is_treated_alike(before: &Assignment, after: &Assignment) -> bool {
    before.decay.total_cmp(&after.decay).is_eq()
        && before.lr_multiplier.total_cmp(&after.lr_multiplier).is_eq()
        && before.clipped == after.clipped
}

/// What steps a tensor; a constant of the whole block is told among the settings.
fn algorithm(checked: &CheckedModel, assignment: &Assignment) -> String {
    print::groups::stepping(assignment.algorithm, None, &checked.model().optimizer)
}

/// The same, and what is kept at norm 1.
fn stepping(checked: &CheckedModel, assignment: &Assignment) -> String {
    print::groups::stepping(assignment.algorithm, assignment.unit, &checked.model().optimizer)
}

fn treatment(checked: &CheckedModel, assignment: &Assignment) -> Treatment {
    let group = checked.groups().iter().find(|group| group.members.contains(&assignment.instance));
    Treatment {
        group: group.map_or_else(String::new, |group| group.name.clone()),
        optimizer: stepping(checked, assignment),
        decay: assignment.decay,
        lr_multiplier: assignment.lr_multiplier,
        clipped: assignment.clipped,
    }
}

fn rule_text(checked: &CheckedModel, rule: usize) -> String {
    checked.rules().get(rule).map_or_else(String::new, |rule| format!("{} ({})", rule.text, rule.place))
}

fn path(checked: &CheckedModel, assignment: &Assignment) -> String {
    let param = checked.model().params.get(assignment.instance.param.0);
    param.map_or_else(String::new, |param| param.path.clone())
}

fn join(members: &[String]) -> String {
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    paths::joined(&members).join(", ")
}
