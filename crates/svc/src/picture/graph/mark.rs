//! What the colours of a scale vector tell: its proved role, and the decay that the rules give its parameters.

use svspec_ir::param::ScalePart;
use svspec_ir::{Assignment, CheckedModel, Role};

/// The decay of a scale vector's parameters, over all layers that have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    /// None of them.
    None,
    /// All of them; the largest.
    All(f64),
    /// The magnitude, not the direction; the largest.
    Magnitude(f64),
    /// Some other share, such as some layers; the largest.
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
    let model = checked.model();
    let facts = checked.facts().iter();
    facts
        .map(|facts| {
            let params = model.scales.get(facts.scale.0).map_or(&[][..], |scale| scale.params.as_slice());
            let rows = checked.assignments().iter().filter(|row| params.contains(&row.instance.param));
            let part =
                |row: &Assignment| model.params.get(row.instance.param.0).and_then(|param| param.scale_part);
            let decays: Vec<_> = rows.map(|row| (part(row).unwrap_or(ScalePart::Whole), row.decay)).collect();
            Mark { role: facts.role, decay: decay(&decays) }
        })
        .collect()
}

fn decay(decays: &[(ScalePart, f64)]) -> Decay {
    let largest = decays.iter().map(|(_, decay)| *decay).fold(0.0, f64::max);
    if largest <= 0.0 {
        Decay::None
    } else if decays.iter().all(|(_, decay)| *decay > 0.0) {
        Decay::All(largest)
    } else if decays.iter().all(|(part, decay)| (*part == ScalePart::Magnitude) == (*decay > 0.0)) {
        Decay::Magnitude(largest)
    } else {
        Decay::Part(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ScalePart::{Direction, Magnitude, Whole};

    #[test]
    fn what_is_decayed_is_told_apart() {
        assert_eq!(decay(&[(Whole, 0.1), (Whole, 0.1)]), Decay::All(0.1));
        assert_eq!(decay(&[(Whole, 0.1), (Whole, 0.0)]), Decay::Part(0.1));
        assert_eq!(decay(&[(Whole, 0.0), (Whole, 0.0)]), Decay::None);
        assert_eq!(decay(&[(Magnitude, 0.1), (Direction, 0.0)]), Decay::Magnitude(0.1));
        assert_eq!(decay(&[(Magnitude, 0.0), (Direction, 0.1)]), Decay::Part(0.1));
    }
}
