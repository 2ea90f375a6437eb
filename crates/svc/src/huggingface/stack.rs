//! The kinds of a model's layers, one by one, to a stack's expression: `4 * (5 * local + global) + 2 * local`.

/// The shortest way that a person would write it: a pattern that repeats, and what is left of it, or runs.
pub fn expression(kinds: &[String]) -> String {
    let num_layers = kinds.len();
    for period in 1..=num_layers / 2 {
        let Some((pattern, _)) = kinds.split_at_checked(period) else { continue };
        let repeats = kinds.chunks(period).take_while(|chunk| *chunk == pattern).count();
        let rest = kinds.get(repeats * period..).unwrap_or_default();
        if repeats < 2 || rest.len() >= period {
            continue;
        }
        let inner = runs(pattern);
        let inner = if inner.len() == 1 { inner.concat() } else { format!("({})", inner.join(" + ")) };
        let terms = std::iter::once(format!("{repeats} * {inner}")).chain(runs(rest));
        return terms.collect::<Vec<_>>().join(" + ");
    }
    runs(kinds).join(" + ")
}

fn runs(kinds: &[String]) -> Vec<String> {
    let runs = kinds.chunk_by(|a, b| a == b);
    let term = |run: &[String]| match run {
        [] => String::new(),
        [kind] => kind.clone(),
        [kind, ..] => format!("{} * {kind}", run.len()),
    };
    runs.map(term).collect()
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn patterns_are_seen() {
        for (kinds, expected) in [
            ("a", "a"),
            ("aaaa", "4 * a"),
            ("abab", "2 * (a + b)"),
            ("aaab", "3 * a + b"),
            ("abbb", "a + 3 * b"),
            ("aabaabaa", "2 * (2 * a + b) + 2 * a"),
            ("aaba", "2 * a + b + a"),
        ] {
            let kinds: Vec<String> = kinds.chars().map(String::from).collect();
            assert_eq!(expression(&kinds), expected);
        }
    }
}
