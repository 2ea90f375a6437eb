//! A model that passed every check: what code is generated from.

use crate::group::RuleText;
use crate::{Assignment, Group, Model, ScaleFacts};
use serde::Serialize;

/// Only the checker builds one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckedModel {
    model: Model,
    facts: Vec<ScaleFacts>,
    rules: Vec<RuleText>,
    assignments: Vec<Assignment>,
    groups: Vec<Group>,
}

impl CheckedModel {
    /// Puts one together; only `check::check_model` calls it.
    pub(crate) fn assemble(
        model: Model,
        facts: Vec<ScaleFacts>,
        rules: Vec<RuleText>,
        assignments: Vec<Assignment>,
        groups: Vec<Group>,
    ) -> Self {
        Self { model, facts, rules, assignments, groups }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What is proved of each scale vector, in the order of `Model::scales`.
    pub fn facts(&self) -> &[ScaleFacts] {
        &self.facts
    }

    /// The rules, in order; a later one wins.
    pub fn rules(&self) -> &[RuleText] {
        &self.rules
    }

    /// What the rules say of each tensor, in the order of `Model::instances`.
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// The parameter groups; each tensor is in exactly one.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}
