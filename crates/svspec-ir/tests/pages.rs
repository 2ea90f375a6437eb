//! Every page says what is so: its first example gives the finding with the text it shows, its last one gives none.
//! `SVSPEC_UPDATE_PAGES=1` writes the texts and lays the examples out anew; read them before they are committed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use svspec_diagnostics::{Color, Diagnostic, Sources, render_text};
use svspec_ir::{Loader, check, load, pages};

/// An optimizer alone.
const OPTIMIZER: &str = "svspec 1

optimizer adamw {
    decay 0.05 on weight
    decay 0.05 on scale where role == input
    decay 0    on scale where role == output
    decay 0    on embedding
}
";

/// What the examples may import: the example itself, the last example of `decay`, and an optimizer alone.
struct Examples(String);

impl Loader for Examples {
    fn load(&mut self, _importer: &str, path: &str) -> Result<(String, String), String> {
        match path {
            "example.svspec" => Ok((path.to_owned(), self.0.clone())),
            "small.svspec" => {
                let page = pages::page("decay").expect("there is one");
                Ok((path.to_owned(), fenced(page, "svspec").last().expect("it has an example").clone()))
            }
            "optimizer.svspec" => Ok((path.to_owned(), OPTIMIZER.to_owned())),
            _ => Err("no such file".to_owned()),
        }
    }
}

fn findings(text: &str) -> (Vec<Diagnostic>, Sources) {
    let mut sources = Sources::new();
    let entry = sources.add("example.svspec", text);
    let (program, mut findings) = load(&mut sources, entry, &mut Examples(text.to_owned()));
    findings.extend(check(&program, &sources));
    (findings, sources)
}

/// The contents of the page's fenced blocks of one language, in order.
fn fenced(page: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    page.split(&open).skip(1).map(|rest| rest.split("```").next().unwrap_or("").to_owned()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pages")
}

/// Pages of what is no diagnostic, and of those that no example of one file can give.
const WITHOUT_FAULT: [&str; 19] = [
    "absorbable",
    "betas",
    "clip",
    "decay",
    "dnp",
    "dp",
    "er",
    "hg",
    "init",
    "input",
    "iwd",
    "lr",
    "or",
    "output",
    "tensor-without-foreign-name",
    "unified",
    "unit",
    "unknown-target",
    "use",
];

#[test]
fn every_file_is_a_page_and_every_page_a_file() {
    let listed: BTreeSet<String> = pages::all().map(|(name, _)| format!("{name}.md")).collect();
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("a plain name"))
        .collect();
    assert_eq!(listed, files);
}

/// The names are found in the code as it is written: the first string after `Diagnostic::error(` or `::warning(`.
#[test]
fn every_diagnostic_has_a_page_and_every_page_a_diagnostic() {
    let mut used = BTreeSet::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![crates.join("svspec-ir/src"), crates.join("svspec-syntax/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("readable");
            for call in ["Diagnostic::error(", "Diagnostic::warning("] {
                for rest in text.split(call).skip(1) {
                    if let Some(name) =
                        rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
                    {
                        used.insert(name.to_owned());
                    }
                }
            }
        }
    }
    let names = pages::all().map(|(name, _)| name.to_owned());
    let topics =
        WITHOUT_FAULT.iter().filter(|name| !["unknown-target", "tensor-without-foreign-name"].contains(name));
    let topics: BTreeSet<&str> = topics.copied().collect();
    let of_diagnostics: BTreeSet<String> = names.filter(|name| !topics.contains(name.as_str())).collect();
    // Chosen by an `if`, so that no literal follows the call.
    used.extend(["unknown-part".to_owned(), "unknown-function".to_owned()]);
    assert_eq!(used, of_diagnostics);
}

#[test]
fn first_examples_fail_with_the_text_shown() {
    let mut wrong = String::new();
    for (name, page) in pages::all().filter(|(name, _)| !WITHOUT_FAULT.contains(name)) {
        let example = fenced(page, "svspec").first().expect("an example").clone();
        let (findings, sources) = findings(&example);
        let text = format!("{}\n", render_text(&findings, &sources, Color::Plain).trim_end());
        if std::env::var_os("SVSPEC_UPDATE_PAGES").is_some() {
            update(name, page, &text);
        } else if fenced(page, "text").first() != Some(&text) {
            wrong += &format!("{name}: shows another text than\n{text}\n");
        }
        let names: BTreeSet<&str> = findings.iter().map(|finding| finding.name).collect();
        if names != BTreeSet::from([name]) {
            wrong += &format!("{name}: gives {names:?}\n{text}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn last_examples_pass() {
    let mut wrong = String::new();
    for (name, page) in pages::all() {
        let example = fenced(page, "svspec").last().expect("an example").clone();
        let (findings, sources) = findings(&example);
        if !findings.is_empty() {
            wrong += &format!("{name}:\n{}\n", render_text(&findings, &sources, Color::Plain));
        }
        let (file, _) = svspec_syntax::parse(svspec_diagnostics::SourceId(0), &example);
        let formatted = svspec_syntax::format(&file);
        if std::env::var_os("SVSPEC_UPDATE_PAGES").is_some() {
            let path = folder().join(format!("{name}.md"));
            let page = std::fs::read_to_string(&path).expect("readable");
            let at = page.rfind(&example).expect("it is there");
            let page = format!("{}{formatted}{}", &page[..at], &page[at + example.len()..]);
            std::fs::write(path, page).expect("writable");
        } else if example != formatted {
            wrong += &format!("{name}: is not laid out as the formatter would\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn update(name: &str, page: &str, text: &str) {
    let shown = fenced(page, "text").first().expect("a text").clone();
    let page = page.replacen(&format!("```text\n{shown}"), &format!("```text\n{text}"), 1);
    std::fs::write(folder().join(format!("{name}.md")), page).expect("writable");
}
