//! The norms of all gradients in, those of the optimizer's groups out.

use crate::checkpoint::State;
use crate::spec::Spec;
use std::collections::BTreeMap;

/// A group of the optimizer that gradients move.
#[derive(Debug)]
pub struct Group {
    name: &'static str,
    /// Its peak learning rate.
    lr: f64,
    /// Where its gradients stand among all.
    places: Vec<usize>,
}

impl Group {
    /// Those of a run.
    pub fn all(spec: &'static Spec, state: &State) -> Vec<Self> {
        let groups = state.params.iter().map(|param| param.group).collect::<Vec<_>>();
        let of = |index: usize| {
            let trained = state.optimizer.trained().enumerate();
            trained.filter(|(_, param)| groups.get(*param) == Some(&index)).map(|(place, _)| place).collect()
        };
        let all = spec.groups.iter().enumerate();
        let all = all.map(|(index, row)| Self { name: row.name, lr: row.lr, places: of(index) });
        all.filter(|group| !group.places.is_empty()).collect()
    }
}

/// The norm of each group's gradients together, before clipping.
pub fn grad_norms(groups: &[Group], norms: &[f64]) -> BTreeMap<&'static str, f64> {
    let norm = |group: &Group| {
        let squares = group.places.iter().filter_map(|&place| norms.get(place)).map(|norm| norm * norm);
        (group.name, squares.sum::<f64>().sqrt())
    };
    groups.iter().map(norm).collect()
}

/// Each group's learning rate where the schedule is at `factor`.
pub fn lrs(groups: &[Group], factor: f64) -> BTreeMap<&'static str, f64> {
    groups.iter().map(|group| (group.name, group.lr * factor)).collect()
}
