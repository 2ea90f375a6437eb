//! The book of architectures to its sections, which `svc explain` prints.

/// The book's section on a technique, by its heading or by the name of a spec that it quotes, without pictures and marks.
pub fn section(name: &str) -> Option<String> {
    let is_about = |(known, text): &(String, &str)| {
        *known == slug(name) || text.lines().any(|line| quoted(line).any(|quoted| quoted == name))
    };
    let (_, text) = sections().find(is_about)?;
    let mut lines: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('<') && !line.starts_with('[')).collect();
    // Where a picture or a mark stood, two blank lines meet.
    lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
    Some(lines.into_iter().flat_map(|line| [line, "\n"]).collect())
}

/// Every section of the book, under its heading in lower case and with hyphens.
pub fn sections() -> impl Iterator<Item = (String, &'static str)> {
    BOOK.into_iter().flat_map(|page| {
        let starts = page.match_indices("\n## ").map(|(at, _)| at + 1);
        starts.filter_map(move |start| {
            let rest = page.get(start..)?;
            let text = rest.get(..rest.find("\n## ").map_or(rest.len(), |end| end + 1))?;
            Some((slug(text.lines().next()?.trim_start_matches("## ")), text))
        })
    })
}

fn slug(heading: &str) -> String {
    heading.to_lowercase().replace([' ', '_'], "-")
}

/// The names in the mark before a quoted spec: `<!-- svspec: dyt, dynamic_tanh of norms.svspec -->`.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let names = line.strip_prefix("<!-- svspec: ").and_then(|rest| rest.split(" of ").next());
    names.into_iter().flat_map(|names| names.split(", "))
}

const BOOK: [&str; 7] = [
    include_str!("../../../../grammar/book/placements.md"),
    include_str!("../../../../grammar/book/norms.md"),
    include_str!("../../../../grammar/book/vectors.md"),
    include_str!("../../../../grammar/book/attention.md"),
    include_str!("../../../../grammar/book/feed_forward.md"),
    include_str!("../../../../grammar/book/scaling.md"),
    include_str!("../../../../grammar/book/sphere.md"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technique_is_found_by_its_heading_and_by_the_name_of_its_spec() {
        for name in ["peri", "Peri-norm", "peri-norm"] {
            let section = section(name).expect("the book has it");
            assert!(section.starts_with("## Peri-norm\n") && section.contains("variant peri of pre {"));
            assert!(!section.contains("<!--") && !section.contains("## Reordered"), "{section}");
        }
        assert!(section("sub_ln").is_some() && section("sub-ln").is_some() && section("dyt").is_some());
        assert_eq!(section("nothing"), None);
    }
}
