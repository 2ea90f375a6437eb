//! What a finding looks like to a person and to a program.

use svspec_diagnostics::{Color, Counts, Diagnostic, Sources, Span, render_json, render_text};

const LLAMA: &str = "svspec 1\n\nmodel llama {\n    width = 770\n    attention attn { heads = 12 }\n}\n";

fn sources() -> Sources {
    let mut sources = Sources::new();
    sources.add("specs/llama.svspec", LLAMA);
    sources.add("specs/größe.svspec", "// größer → breiter\nvariant wide of llama { width = 771 }\n");
    sources.add("specs/empty.svspec", "");
    sources
}

/// The place of `part`, which occurs once, in the file called `name`.
fn place(sources: &Sources, name: &str, part: &str) -> Span {
    let span = (0..)
        .map(svspec_diagnostics::SourceId)
        .map_while(|id| sources.get(id).map(|source| (id, source)))
        .filter(|(_, source)| source.name.ends_with(name))
        .find_map(|(id, source)| {
            source.text.find(part).map(|start| Span::new(id, start, start + part.len()))
        });
    span.expect("the part occurs")
}

fn findings(sources: &Sources) -> Vec<Diagnostic> {
    vec![
        Diagnostic::error(
            "heads-not-divisible",
            "the width of `attn`, 770, is not a multiple of its 12 heads",
        )
        .at(place(sources, "llama.svspec", "12"), "770 / 12 leaves 2")
        .because(place(sources, "llama.svspec", "width = 770"), "the width is set here")
        .help("write `heads = 11` or `heads = 14`, or set `head_dim`")
        .help("a width of 768 has 12 heads of 64"),
        Diagnostic::warning("unused-part", "`attn` is used in no equation")
            .at(place(sources, "llama.svspec", "attn {"), "")
            .because(place(sources, "größe.svspec", "llama"), "nor in this variant"),
        Diagnostic::error("missing-version", "the file is empty")
            .at(place(sources, "empty.svspec", ""), "")
            .help("a spec starts with the line `svspec 1`"),
        Diagnostic::error("missing-stack", "no model is here"),
    ]
}

#[test]
fn text() {
    let sources = sources();
    insta::assert_snapshot!(render_text(&findings(&sources), &sources, Color::Plain));
}

#[test]
fn colour_adds_nothing_but_escapes() {
    let sources = sources();
    let plain = render_text(&findings(&sources), &sources, Color::Plain);
    let ansi = render_text(&findings(&sources), &sources, Color::Ansi);
    assert_ne!(plain, ansi);
    let mut stripped = String::new();
    let mut parts = ansi.split('\u{1b}');
    stripped.push_str(parts.next().unwrap());
    for part in parts {
        stripped.push_str(part.split_once('m').unwrap().1);
    }
    assert_eq!(stripped, plain);
}

#[test]
fn json() {
    let sources = sources();
    insta::assert_snapshot!(render_json(&findings(&sources), &sources));
}

#[test]
fn no_findings() {
    let sources = sources();
    assert_eq!(render_text(&[], &sources, Color::Plain), "");
    insta::assert_snapshot!(render_json(&[], &sources));
}

#[test]
fn a_span_outside_of_its_file_is_moved_into_it() {
    let sources = sources();
    let id = place(&sources, "größe.svspec", "wide").source;
    for (start, end) in [(5, 6), (6, 6), (0, 10_000), (9_000, 10_000), (20, 3)] {
        let span = Span::new(id, start, end);
        let text =
            render_text(&[Diagnostic::error("any", "message").at(span, "here")], &sources, Color::Plain);
        assert!(text.contains("here"), "{text}");
    }
}

#[test]
fn counts() {
    let sources = sources();
    let findings = findings(&sources);
    assert_eq!(Counts::of(&findings).to_string(), "3 errors and 1 warning");
    assert_eq!(Counts::of(&findings[1..2]).to_string(), "1 warning");
    assert_eq!(Counts::of(&findings[..1]).to_string(), "1 error");
    assert_eq!(Counts::of(&[]).to_string(), "no faults");
}
