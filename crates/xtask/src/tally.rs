//! The output of `cargo test` to a count.

/// How many tests passed, failed and were passed over, summed over test binaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Marked `ignore` and not asked for.
    pub ignored: u64,
}

impl Tally {
    /// Adds what a line says, if it is a test binary's last: `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    pub fn read(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ").and_then(|(_, rest)| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split(';') {
            let mut words = count.split_whitespace();
            let (Some(number), Some(what)) =
                (words.next().and_then(|word| word.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_summed() {
        let mut tally = Tally::default();
        for line in [
            "running 14 tests",
            "test picture::svg::tests::numbers ... ok",
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.10s",
            "",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.01s",
        ] {
            tally.read(line);
        }
        assert_eq!(tally, Tally { passed: 15, failed: 1, ignored: 2 });
    }

    #[test]
    fn a_test_that_prints_the_words_does_not_count() {
        let mut tally = Tally::default();
        tally.read("3 passed; 1 failed");
        tally.read("test result: unknown");
        assert_eq!(tally, Tally::default());
    }
}
