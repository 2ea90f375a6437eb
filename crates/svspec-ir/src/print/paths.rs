//! Lists of names in the language's own short form: `attn.{q, k, v}.weight`, `layers 0-3`.

use crate::{Dim, Model, RegionId};

/// Paths that differ in one segment only, and which one; of a single path, none.
struct Joined<'a> {
    paths: Vec<Vec<&'a str>>,
    at: Option<usize>,
}

/// The paths, those that differ in one segment only joined in braces, in the order of their first.
pub fn joined(paths: &[&str]) -> Vec<String> {
    let mut groups: Vec<Joined<'_>> = Vec::new();
    for path in paths {
        let segments: Vec<&str> = path.split('.').collect();
        if groups.iter().any(|group| group.paths.contains(&segments)) {
            continue;
        }
        let place_in = |group: &Joined<'_>| {
            let at = difference(group.paths.first()?, &segments)?;
            group.at.is_none_or(|known| known == at).then_some(at)
        };
        match groups.iter_mut().find_map(|group| place_in(group).map(|at| (group, at))) {
            Some((group, at)) => {
                group.at = Some(at);
                group.paths.push(segments);
            }
            None => groups.push(Joined { paths: vec![segments], at: None }),
        }
    }
    groups.iter().map(braced).collect()
}

/// The one place where `a` and `b` differ; a path of one segment never joins.
fn difference(a: &[&str], b: &[&str]) -> Option<usize> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let mut places = a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b).map(|(place, _)| place);
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

fn braced(group: &Joined<'_>) -> String {
    let Some(first) = group.paths.first() else { return String::new() };
    let segments = first.iter().enumerate().map(|(place, segment)| {
        if Some(place) == group.at {
            let words: Vec<&str> = group.paths.iter().filter_map(|path| path.get(place).copied()).collect();
            format!("{{{}}}", words.join(", "))
        } else {
            (*segment).to_owned()
        }
    });
    segments.collect::<Vec<_>>().join(".")
}

/// What is alike but for its `layers` made one, with the layers of all; what has no layers stays as it is.
pub fn over_layers<V: Clone + PartialEq>(
    views: impl IntoIterator<Item = V>,
    layers: impl Fn(&mut V) -> &mut Vec<usize>,
) -> Vec<V> {
    let mut merged: Vec<V> = Vec::new();
    for mut view in views {
        let of_view = layers(&mut view).clone();
        let is_alike = |known: &V| {
            let mut known = known.clone();
            layers(&mut known).clone_from(&of_view);
            !of_view.is_empty() && known == view
        };
        match merged.iter().position(is_alike).and_then(|index| merged.get_mut(index)) {
            Some(known) => layers(known).extend(of_view),
            None => merged.push(view),
        }
    }
    for view in &mut merged {
        layers(view).sort_unstable();
    }
    merged
}

/// Ascending numbers as ranges: `0-3`, `0-4,6-10`, `7`.
pub fn ranges(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            Some(_) | None => runs.push((number, number)),
        }
    }
    let texts = runs
        .iter()
        .map(|(start, end)| if start == end { start.to_string() } else { format!("{start}-{end}") });
    texts.collect::<Vec<_>>().join(",")
}

/// The layers of the stack, from 0, that are of the kind `region`.
pub fn layers_of(model: &Model, region: RegionId) -> Vec<usize> {
    let layers = model.stack.iter().enumerate();
    layers.filter(|(_, kind)| **kind == region).map(|(layer, _)| layer).collect()
}

/// The name by which the layers of a region are declared; of another region, its own.
pub fn family(model: &Model, region: RegionId) -> &str {
    model.regions.get(region.0).map_or("", |region| region.family.as_str())
}

/// Whether a region of one model is, in some layer, what a region of another model is there: of one family, at one depth.
/// A layer that a stack has not is compared with all of its family.
pub fn meet((one, a): (&Model, RegionId), (other, b): (&Model, RegionId)) -> bool {
    let (of_one, of_other) = (layers_of(one, a), layers_of(other, b));
    family(one, a) == family(other, b)
        && (of_one.is_empty() || of_other.is_empty() || of_one.iter().any(|layer| of_other.contains(layer)))
}

/// The stack as the language writes it: `4 * layer`, `5 * local + global`.
pub fn stack(model: &Model) -> String {
    let mut runs: Vec<(&str, usize)> = Vec::new();
    for &kind in &model.stack {
        let name = family(model, kind);
        match runs.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            Some(_) | None => runs.push((name, 1)),
        }
    }
    // A pattern that repeats, such as five local and one global, is written once.
    let period = (1..=runs.len()).find(|&period| {
        runs.len().is_multiple_of(period) && runs.iter().zip(runs.iter().skip(period)).all(|(a, b)| a == b)
    });
    let period = period.unwrap_or(runs.len());
    let terms: Vec<String> = runs
        .iter()
        .take(period)
        .map(|&(name, count)| if count == 1 { name.to_owned() } else { format!("{count} * {name}") })
        .collect();
    let repeats = runs.len().checked_div(period).unwrap_or(1);
    if repeats == 1 { terms.join(" + ") } else { format!("{repeats} * ({})", terms.join(" + ")) }
}

/// `[heads 4, head_dim 32]`; `[]` for a scalar.
pub fn dims(dims: &[Dim]) -> String {
    let entry = |dim: &Dim| if dim.size == 1 { "1".to_owned() } else { format!("{} {}", dim.name, dim.size) };
    let entries: Vec<String> = dims.iter().map(entry).collect();
    format!("[{}]", entries.join(", "))
}

/// `[4, 32, 128]`
pub fn sizes(dims: &[Dim]) -> String {
    let entries: Vec<String> = dims.iter().map(|dim| dim.size.to_string()).collect();
    format!("[{}]", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{joined, ranges};

    #[test]
    fn paths_that_differ_in_one_segment_join() {
        let paths = ["attn.q.weight", "attn.k.weight", "mlp.up.weight", "attn.v.weight", "embed.weight"];
        assert_eq!(joined(&paths), ["attn.{q, k, v}.weight", "mlp.up.weight", "embed.weight"]);
    }

    #[test]
    fn paths_that_differ_in_another_segment_stay_apart() {
        assert_eq!(joined(&["a.x.w", "a.y.w", "b.x.w"]), ["a.{x, y}.w", "b.x.w"]);
    }

    #[test]
    fn neighbours_form_a_range() {
        assert_eq!(ranges(&[0, 1, 2, 3]), "0-3");
        assert_eq!(ranges(&[0, 1, 5, 7, 8]), "0-1,5,7-8");
    }
}
