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
        // More columns than speak for themselves get their names.
        let named = section.header.len() > 3 || section.header.contains(&"class");
        let header = named.then(|| section.header.iter().map(ToString::to_string).collect());
        let rows: Vec<Vec<String>> = header.into_iter().chain(section.rows).collect();
        let first_note = usize::from(named);
        for (line, row) in table("  ", &[Align::Left], &rows).lines().enumerate() {
            text.push_str(&format!("{row}\n"));
            let note = line.checked_sub(first_note).and_then(|index| section.notes.get(index));
            if let Some(note) = note.filter(|note| !note.is_empty()) {
                text.push_str(&format!("       {note}\n"));
            }
        }
    }
    text
}
