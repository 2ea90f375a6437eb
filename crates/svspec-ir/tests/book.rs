//! The book of architectures quotes specs, and says of their scale vectors what the compiler proves: `cargo xtask generate`
//! writes both between the marks of an entry, and this test reads them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use svspec_diagnostics::Sources;
use svspec_ir::{CheckedModel, Instance, Loader, Program, Role, compile, load, print};

/// Specs of which every part and every target has an entry.
const OF_TECHNIQUES: [&str; 6] = [
    "placements.svspec",
    "norms.svspec",
    "attention.svspec",
    "feed_forward.svspec",
    "scaling.svspec",
    "ngpt.svspec",
];

const BEGIN: &str = "<!-- svspec: ";
const END: &str = "<!-- end -->";

struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, _importer: &str, path: &str) -> Result<(String, String), String> {
        let text = fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())?;
        Ok((path.to_owned(), text))
    }
}

fn root() -> &'static Path {
    Path::new("../..")
}

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("grammar/book")).unwrap();
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

fn text_of(spec: &str) -> String {
    fs::read_to_string(root().join("specs").join(spec)).unwrap_or_else(|error| panic!("{spec}: {error}"))
}

/// The `NAME, NAME of SPEC` of a mark.
fn mark(line: &str) -> Option<(Vec<&str>, &str)> {
    let (names, spec) = line.strip_prefix(BEGIN)?.strip_suffix(" -->")?.split_once(" of ")?;
    Some((names.split(", ").collect(), spec))
}

#[test]
fn the_book_says_what_the_specs_and_the_compiler_say() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let fresh = written(&text);
        // As for snapshots.
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            fs::write(&page, &fresh).unwrap();
        } else {
            assert_eq!(text, fresh, "{}; `cargo xtask generate` writes it", page.display());
        }
    }
}

#[test]
fn every_technique_has_an_entry() {
    let texts: Vec<String> = pages().iter().map(|page| fs::read_to_string(page).unwrap()).collect();
    let marks: BTreeSet<(&str, &str)> = texts
        .iter()
        .flat_map(|text| text.lines().filter_map(mark))
        .flat_map(|(names, spec)| names.into_iter().map(move |name| (name, spec)))
        .collect();
    for spec in OF_TECHNIQUES {
        let text = text_of(spec);
        for name in text.lines().filter_map(declared) {
            assert!(marks.contains(&(name, spec)), "the book has no entry for `{name}` of {spec}");
        }
    }
}

/// The name that a block of a spec declares in its first line.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let is_block = matches!(words.next(), Some("model" | "variant" | "part"));
    is_block.then(|| words.next()).flatten()
}

/// The page with its entries written anew.
fn written(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if let Some((names, spec)) = mark(line) {
            out.push_str(&entry(&names, spec));
            assert!(lines.any(|line| line == END), "`{line}` has no `{END}`");
            out.push_str(END);
            out.push('\n');
        }
    }
    out
}

/// The blocks of these names, and what is proved of the last one's vectors.
fn entry(names: &[&str], spec: &str) -> String {
    let text = text_of(spec);
    let blocks: Vec<String> = names.iter().map(|name| block(&text, name, spec)).collect();
    let target = names.last().unwrap();
    let mut sources = Sources::new();
    let source = sources.add(spec, text);
    let (program, _) = load(&mut sources, source, &mut Folder(root().join("specs")));
    let code = format!("```svspec\n{}\n```\n", blocks.join("\n\n"));
    format!("[{spec}](../../specs/{spec})\n\n{code}\n{}", table(&program, &sources, target))
}

/// From its first line to the brace that closes it.
fn block(text: &str, name: &str, spec: &str) -> String {
    let from = text.lines().skip_while(|line| declared(line) != Some(name));
    let mut block = Vec::new();
    for line in from {
        block.push(line);
        if line == "}" || line.ends_with("{}") {
            return block.join("\n");
        }
    }
    panic!("{spec} has no `{name}`")
}

/// Role, whether it folds, decay: vectors of which these are the same share a row.
type Facts<'a> = (&'a str, &'a str, String);

fn table(program: &Program, sources: &Sources, target: &str) -> String {
    let checked = compile(program, sources, target).unwrap_or_else(|_| panic!("`{target}`")).checked;
    let view = print::roles::view(&checked);
    let mut rows: Vec<(Facts<'_>, Vec<&str>)> = Vec::new();
    for scale in &view.scales {
        let role = match scale.role {
            Role::Input => "input",
            Role::Output => "output",
        };
        let folds = if scale.absorbable { "yes" } else { "no" };
        // A kind of layer that the stack does not have has no tensors.
        let mut of_path = checked.model().scales.iter().filter(|vector| vector.path == scale.path);
        let Some(decays) = of_path.find_map(|vector| decays(&checked, &vector.params)) else {
            continue;
        };
        let key = (role, folds, decays);
        match rows.iter_mut().find(|(known, _)| *known == key) {
            Some((_, paths)) if paths.contains(&scale.path.as_str()) => {}
            Some((_, paths)) => paths.push(&scale.path),
            None => rows.push((key, vec![&scale.path])),
        }
    }
    if rows.is_empty() {
        return "No scale vectors.\n".to_owned();
    }
    let rows = rows.iter().map(|((role, folds, decay), paths)| {
        let paths: Vec<String> = print::paths::joined(paths).iter().map(|path| format!("`{path}`")).collect();
        format!("| {} | {role} | {folds} | {decay} |\n", paths.join(", "))
    });
    format!("| vectors | role | folds | decay |\n|---|---|---|---|\n{}", rows.collect::<String>())
}

/// The decay of each parameter of a vector; once, if it is the same.
fn decays(checked: &CheckedModel, params: &[svspec_ir::ParamId]) -> Option<String> {
    let decay_of = |param: &svspec_ir::ParamId| {
        let of_param = |instance: &Instance| instance.param == *param;
        let mut assignments = checked.assignments().iter();
        assignments.find(|assignment| of_param(&assignment.instance)).map(|assignment| assignment.decay)
    };
    let decays: Option<Vec<f64>> = params.iter().map(decay_of).collect();
    let mut decays: Vec<String> = decays?.into_iter().map(print::number::shortest).collect();
    decays.dedup();
    Some(decays.join(", "))
}
