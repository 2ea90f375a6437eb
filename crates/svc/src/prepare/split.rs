//! Which documents are for training and which for validation: evenly spread, by their place alone.

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Training.
    Train,
    /// Validation.
    Val,
}

impl Part {
    /// In the order of their files.
    pub const ALL: [Self; 2] = [Self::Train, Self::Val];

    /// In file names.
    pub fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
        }
    }

    /// That of document `index`, of which the share `val_fraction` is for validation: one where the running sum of the
    /// share passes a whole number.
    pub fn of_document(index: u64, val_fraction: f64) -> Self {
        let passed = |count: u64| (count as f64 * val_fraction).floor();
        if passed(index + 1) > passed(index) { Self::Val } else { Self::Train }
    }

    /// That of a text's bytes from `offset` of `len` on: its end is for validation.
    pub fn of_bytes(offset: u64, len: u64, val_fraction: f64) -> Self {
        if offset as f64 >= len as f64 * (1.0 - val_fraction) { Self::Val } else { Self::Train }
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn documents_for_validation_are_spread_evenly() {
        let chosen: Vec<u64> =
            (0..1000).filter(|&index| Part::of_document(index, 0.01) == Part::Val).collect();
        assert_eq!(chosen.len(), 10);
        assert!(chosen.windows(2).all(|pair| pair[1] - pair[0] == 100), "{chosen:?}");
        assert!((0..1000).all(|index| Part::of_document(index, 0.0) == Part::Train));
    }

    #[test]
    fn the_end_of_a_text_is_for_validation() {
        assert_eq!(Part::of_bytes(89, 100, 0.1), Part::Train);
        assert_eq!(Part::of_bytes(90, 100, 0.1), Part::Val);
        assert_eq!(Part::of_bytes(99, 100, 0.0), Part::Train);
    }
}
