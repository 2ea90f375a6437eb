//! A diff as Markdown for a review comment.

use super::{Diff, section};

/// Sections only where something changed.
pub(super) fn markdown(diff: &Diff) -> String {
    if diff.is_empty() {
        return format!("### `{}` → `{}`: no difference\n", diff.old, diff.new);
    }
    let mut text = format!("### `{}` → `{}`: {}\n\n", diff.old, diff.new, diff.verdict.class.word());
    for (index, reason) in diff.verdict.reasons.iter().enumerate() {
        text.push_str(&if index == 0 {
            format!("{}.\n", capitalised(reason))
        } else {
            format!("\n- {reason}")
        });
    }
    if diff.verdict.reasons.len() > 1 {
        text.push('\n');
    }
    for section in section::sections(diff) {
        text.push_str(&format!("\n**{}**\n\n", section.title));
        let has_notes = section.notes.iter().any(|note| !note.is_empty());
        let header: Vec<&str> =
            section.header.iter().copied().chain(has_notes.then_some(section.note)).collect();
        text.push_str(&format!("| {} |\n", header.join(" | ")));
        text.push_str(&format!("|{}\n", " --- |".repeat(header.len())));
        for (index, row) in section.rows.iter().enumerate() {
            let note = section.notes.get(index).filter(|_| has_notes);
            let cells: Vec<String> =
                row.iter().chain(note).map(|cell| cell.replace('|', "\\|").replace('*', "\\*")).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
