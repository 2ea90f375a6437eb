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
        text.push_str(&format!("| {} |\n", section.header.join(" | ")));
        text.push_str(&format!("|{}\n", " --- |".repeat(section.header.len())));
        for row in &section.rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
