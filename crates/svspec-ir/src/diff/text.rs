//! A diff as plain text for a terminal.

use super::{Diff, section};
use crate::print::table::{Align, table};

/// Sections only where something changed.
pub(super) fn text(diff: &Diff) -> String {
    if diff.is_empty() {
        return format!("{} → {}: no difference\n", diff.old, diff.new);
    }
    let mut text = format!("{} → {}: {}\n", diff.old, diff.new, diff.verdict.class.word());
    for (index, reason) in diff.verdict.reasons.iter().enumerate() {
        let bullet = if index == 0 { "" } else { "- " };
        text.push_str(&format!("  {bullet}{reason}\n"));
    }
    for section in section::sections(diff) {
        text.push_str(&format!("\n{}\n", section.title));
        text.push_str(&table("  ", &[Align::Left], &section.rows));
    }
    text
}
