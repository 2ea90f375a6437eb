//! What the colours of a scale vector tell: its proved role, and the decay that the rules give its parameters.

use svspec_ir::{CheckedModel, Role};

/// The decay of a scale vector's parameters, over all layers that have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    /// None of them.
    None,
    /// All of them; the largest.
    All(f64),
    /// Some layers, or one of magnitude and direction; the largest.
    Part(f64),
}

/// One scale vector's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Its role.
    pub role: Role,
    /// Its decay.
    pub decay: Decay,
}

/// Those of the model's scale vectors, in their order.
pub fn marks(checked: &CheckedModel) -> Vec<Mark> {
    let facts = checked.facts().iter();
    facts
        .map(|facts| {
            let params =
                checked.model().scales.get(facts.scale.0).map_or(&[][..], |scale| scale.params.as_slice());
            let decays = checked.assignments().iter().filter(|row| params.contains(&row.instance.param));
            Mark { role: facts.role, decay: decay(decays.map(|row| row.decay)) }
        })
        .collect()
}

fn decay(decays: impl Iterator<Item = f64> + Clone) -> Decay {
    let largest = decays.clone().fold(0.0, f64::max);
    if largest <= 0.0 {
        Decay::None
    } else if decays.clone().all(|decay| decay > 0.0) {
        Decay::All(largest)
    } else {
        Decay::Part(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_layers_only_is_a_part() {
        assert_eq!(decay([0.1, 0.1].into_iter()), Decay::All(0.1));
        assert_eq!(decay([0.1, 0.0].into_iter()), Decay::Part(0.1));
        assert_eq!(decay([0.0, 0.0].into_iter()), Decay::None);
    }
}
