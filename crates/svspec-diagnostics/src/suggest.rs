//! A misspelt word and the words that may stand there, to the one that was meant.

/// The candidate nearest to `word`, if one is near enough to be worth naming. Of equally near ones the first wins.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in a short word, about one in three letters of a longer one. One letter is no slip of another.
    let length = word.chars().count();
    let furthest = if length == 1 { 0 } else { (length / 3).max(1) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase());
        // Who wrote the very word meant it, and it may not stand there.
        if candidate != word && distance <= furthest && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_slip_finds_the_word() {
        assert_eq!(did_you_mean("wdith", ["vocab", "width", "context"]), Some("width"));
        assert_eq!(did_you_mean("Heads", ["heads", "head_dim"]), Some("heads"));
        assert_eq!(
            did_you_mean("magnitude_directon", ["direct", "magnitude_direction"]),
            Some("magnitude_direction")
        );
    }

    #[test]
    fn another_word_finds_nothing() {
        assert_eq!(did_you_mean("x", ["vocab", "width"]), None);
        assert_eq!(did_you_mean("h", ["x", "X"]), None);
        assert_eq!(did_you_mean("dropout", ["vocab", "width"]), None);
        assert_eq!(did_you_mean("width", []), None);
        assert_eq!(did_you_mean("width", ["width"]), None);
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(did_you_mean("mlp_a", ["mlp_b", "mlp_c"]), Some("mlp_b"));
    }
}
