//! What holds of every text: no panic, places within the text; and of every text without faults: formatting keeps
//! its meaning and its comments, and formatting again changes nothing.

#[path = "properties/texts.rs"]
mod texts;

use proptest::prelude::*;
use svspec_diagnostics::{Color, Sources, render_text};
use svspec_syntax::{format, parse, print};

/// Fails unless the text is handled as every text must be. Says whether it has no faults.
fn holds(text: &str) -> Result<bool, TestCaseError> {
    let mut sources = Sources::new();
    let source = sources.add("any.svspec", text);
    let (file, faults) = parse(source, text);
    for label in faults.iter().flat_map(|fault| fault.primary.iter().chain(&fault.secondary)) {
        prop_assert!(label.span.start <= label.span.end && label.span.end as usize <= text.len());
        prop_assert!(text.is_char_boundary(label.span.start as usize));
        prop_assert!(text.is_char_boundary(label.span.end as usize));
    }
    render_text(&faults, &sources, Color::Plain);
    let formatted = format(&file);
    if faults.is_empty() {
        let (again, faults) = parse(source, &formatted);
        prop_assert_eq!(faults, [], "{}", formatted);
        prop_assert_eq!(print(&again), print(&file), "{}", formatted);
        prop_assert_eq!(format(&again), formatted);
        Ok(true)
    } else {
        Ok(false)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_any_text(text in any::<String>()) {
        holds(&text)?;
    }

    #[test]
    fn of_words_in_any_order(text in texts::words()) {
        holds(&text)?;
    }

    #[test]
    fn of_specs_with_a_slip(text in texts::slips()) {
        holds(&text)?;
    }

    #[test]
    fn of_generated_specs(text in texts::specs()) {
        prop_assert!(holds(&text)?, "{}", text);
    }
}
