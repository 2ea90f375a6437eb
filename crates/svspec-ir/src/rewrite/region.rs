//! Edits of a region that keep it a straight line: every node after its inputs, names unique, nothing dead.

use crate::{Node, Op, Region, ValueId};

/// The nodes that read `value`, in order; one that reads it twice is listed once.
pub(super) fn readers(region: &Region, value: ValueId) -> Vec<ValueId> {
    let nodes = region.nodes.iter().enumerate();
    nodes.filter(|(_, node)| node.inputs.contains(&value)).map(|(index, _)| ValueId(index)).collect()
}

/// Whether another region reads `value`.
pub(super) fn is_output(region: &Region, value: ValueId) -> bool {
    region.hands_on(value)
}

/// Lets everything that reads `from` read `to`, which stands before it.
pub(super) fn redirect(region: &mut Region, from: ValueId, to: ValueId) {
    map_values(region, |value| if value == from { to } else { value });
}

/// Puts `node` before the node that is now at `at`; `node` reads nothing from there on.
pub(super) fn insert(region: &mut Region, at: ValueId, node: Node) {
    map_values(region, |value| if value >= at { ValueId(value.0 + 1) } else { value });
    region.nodes.insert(at.0, node);
}

/// Removes the nodes that nothing that leaves the region depends on; what a region is given stays.
pub(super) fn sweep(region: &mut Region) {
    let mut is_live = vec![false; region.nodes.len()];
    let mut pending: Vec<ValueId> = region.results().collect();
    while let Some(value) = pending.pop() {
        let Some(live) = is_live.get_mut(value.0) else { continue };
        if !std::mem::replace(live, true) {
            pending.extend(region.nodes.get(value.0).into_iter().flat_map(|node| &node.inputs));
        }
    }
    let keep = |(live, node): (&bool, &Node)| *live || matches!(node.op, Op::Input(_));
    let kept: Vec<bool> = is_live.iter().zip(&region.nodes).map(keep).collect();
    let renumbered: Vec<ValueId> = kept
        .iter()
        .scan(0, |next, kept| {
            let id = ValueId(*next);
            *next += usize::from(*kept);
            Some(id)
        })
        .collect();
    let mut flags = kept.iter();
    region.nodes.retain(|_| flags.next().copied().unwrap_or(true));
    map_values(region, |value| renumbered.get(value.0).copied().unwrap_or(value));
}

fn map_values(region: &mut Region, f: impl Fn(ValueId) -> ValueId) {
    for input in region.nodes.iter_mut().flat_map(|node| &mut node.inputs) {
        *input = f(*input);
    }
    region.output = f(region.output);
    for side in &mut region.side {
        side.value = f(side.value);
    }
    for loss in &mut region.losses {
        loss.value = f(loss.value);
    }
}

/// `name`, or `name_2`, `name_3`, … if the region has it already.
pub(super) fn unique_name(region: &Region, name: &str) -> String {
    let is_free = |name: &String| region.nodes.iter().all(|node| node.name != *name);
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(is_free).unwrap_or_else(|| name.to_owned())
}
