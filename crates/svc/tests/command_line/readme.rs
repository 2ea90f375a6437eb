//! README.md: what it shows of the commands is what they print.

#![expect(clippy::unwrap_used, reason = "what README.md does not show fails its test")]

use crate::scene::Scene;

const README: &str = include_str!("../../../../README.md");

/// What `svc ARGUMENTS` prints in the checkout.
fn printed(arguments: &str) -> String {
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let output = Scene::new().svc(arguments).current_dir(checkout).env("COLUMNS", "120").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The first block of text in README.md after `words`.
fn block(words: &str) -> &'static str {
    let (_, after) = README.split_once(words).unwrap();
    let (_, after) = after.split_once("```text\n").unwrap();
    after.split_once("```").unwrap().0
}

/// Paragraph by paragraph, what README.md shows after `words` is in what `svc ARGUMENTS` prints.
fn shows(words: &str, arguments: &str) {
    let printed = printed(arguments);
    for paragraph in block(words).split("\n\n") {
        let paragraph = paragraph.trim_end();
        assert!(printed.contains(paragraph), "svc {arguments} does not print\n{paragraph}\nbut\n{printed}");
    }
}

#[test]
fn the_roles() {
    shows(
        "`cargo svc show roles specs/nano.svspec --variant unified`",
        "show roles specs/nano.svspec --variant unified",
    );
}

#[test]
fn the_groups() {
    shows("specs/llama.svspec --variant muon` begins so:", "show groups specs/llama.svspec --variant muon");
}

#[test]
fn the_diff() {
    let arguments = "diff specs/nano.svspec:nano specs/nano.svspec:unified";
    shows(&format!("`cargo svc {arguments}`"), arguments);
}

#[test]
fn the_generated_model() {
    let (_, after) = README.split_once("From nano's `src/model.rs`:\n\n```rust\n").unwrap();
    let (shown, _) = after.split_once("```").unwrap();
    // In the crate the function is a method.
    let indented = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    let lines: Vec<String> = shown.lines().map(indented).collect();
    let snapshot = include_str!("../../../../specs/nano.snapshot/nano.md");
    assert!(snapshot.contains(&lines.join("\n")), "nano's crate has no\n{shown}");
}
