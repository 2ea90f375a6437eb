//! Tensors with the same settings from the same rules become a group.

use super::naming;
use crate::rule::ResolvedRule;
use crate::{Assignment, Group, Model};

/// The groups of `assignments`, in the order of their decay rules, then of their first tensors.
pub(super) fn groups(model: &Model, assignments: &[Assignment], rules: &[ResolvedRule]) -> Vec<Group> {
    let mut groups: Vec<(Option<usize>, Group)> = Vec::new();
    for assignment in assignments {
        let [betas_rule, eps_rule] = assignment.constant_rules;
        let deciding = [
            assignment.decay_rule,
            assignment.algorithm_rule,
            betas_rule,
            eps_rule,
            assignment.lr_rule,
            assignment.clip_rule,
            assignment.unit_rule,
        ];
        let rules: Vec<usize> = deciding.into_iter().flatten().collect();
        let known = groups.iter_mut().map(|(_, group)| group).find(|group| {
            group.rules == rules
                && group.algorithm == assignment.algorithm
                && group.decay.to_bits() == assignment.decay.to_bits()
                && group.lr_multiplier.to_bits() == assignment.lr_multiplier.to_bits()
                && group.clipped == assignment.clipped
                && group.unit == assignment.unit
        });
        match known {
            Some(group) => group.members.push(assignment.instance),
            None => groups.push((
                assignment.decay_rule,
                Group {
                    name: String::new(),
                    algorithm: assignment.algorithm,
                    decay: assignment.decay,
                    lr_multiplier: assignment.lr_multiplier,
                    clipped: assignment.clipped,
                    unit: assignment.unit,
                    rules,
                    members: vec![assignment.instance],
                },
            )),
        }
    }
    // What no rule decides comes last.
    groups.sort_by_key(|(decay_rule, _)| decay_rule.unwrap_or(usize::MAX));
    let mut groups: Vec<Group> = groups.into_iter().map(|(_, group)| group).collect();
    naming::name(model, &mut groups, rules);
    groups
}
