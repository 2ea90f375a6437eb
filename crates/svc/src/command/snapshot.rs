//! `svc snapshot`: a spec in, a committed record of what it means and generates out, or what drifted from it.

use crate::generate::{self, Target};
use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal::{self, Stream};
use anyhow::{Context as _, bail};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use svspec_ir::print;

/// Write or verify the snapshot of specs, for review
///
/// The snapshot of `nano.svspec` is the folder `nano.snapshot` beside it, with one Markdown file for each target: the
/// resolved model, parameter groups, roles, counts, and the generated model's code. Committed, it shows in every
/// review what a change of the spec, or of the compiler, does.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 written or verified, 1 faults in a spec, or --check found drift, 2 could not run.\n\n\
    Examples:\n  \
    svc snapshot specs/*.svspec\n  \
    svc snapshot --check specs/*.svspec   # in CI"
)]
pub struct Snapshot {
    /// The spec files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Write nothing; show what differs from the committed snapshot
    #[arg(long)]
    check: bool,
}

/// Writes or verifies the snapshot of each file.
pub fn run(args: &Snapshot) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Fine;
    for file in &args.files {
        let spec = Spec::open(&Origin::Disk, file)?;
        let snapshot = snapshot(&spec)?;
        let folder = folder(&spec)?;
        if args.check {
            outcome = outcome.and(verify(&folder, &snapshot)?);
        } else {
            write(&folder, &snapshot)?;
            terminal::print(&format!("{} ({} targets)\n", folder.display(), snapshot.len()))?;
        }
    }
    Ok(outcome)
}

/// The file names and texts of the snapshot.
fn snapshot(spec: &Spec) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for name in spec.targets()? {
        let generated = generate::generate(spec, &Target::default().named(&name))?;
        let checked = &generated.checked;
        let mut text = format!("# {name}\n\nA snapshot of {} by `svc snapshot`.\n", spec.file_name());
        let sections = [
            ("Resolved", "text", print::resolved(checked)),
            ("Groups", "text", print::groups(checked)),
            ("Roles", "text", print::roles(checked)),
            ("Cost", "text", print::cost(checked)),
            ("Generated model", "rust", generated.files.get("src/model.rs").cloned().unwrap_or_default()),
        ];
        for (title, language, content) in sections {
            text.push_str(&format!("\n## {title}\n\n```{language}\n{}\n```\n", content.trim_end()));
        }
        files.insert(format!("{name}.md"), text);
    }
    Ok(files)
}

fn folder(spec: &Spec) -> anyhow::Result<PathBuf> {
    if spec.path == "-" {
        bail!("a snapshot lies beside its spec's file: name a file");
    }
    Ok(Path::new(&spec.path).with_extension("snapshot"))
}

fn verify(folder: &Path, snapshot: &BTreeMap<String, String>) -> anyhow::Result<Outcome> {
    let committed = committed(folder, snapshot)?;
    let mut outcome = Outcome::Fine;
    let names: std::collections::BTreeSet<&String> = committed.keys().chain(snapshot.keys()).collect();
    for name in names {
        let shown = folder.join(name).display().to_string();
        let empty = String::new();
        let old = committed.get(name).unwrap_or(&empty);
        let new = snapshot.get(name).unwrap_or(&empty);
        let diff = terminal::unified_diff(&shown, old, &format!("{shown} (now)"), new);
        if !diff.is_empty() {
            outcome = Outcome::Findings;
            terminal::print(&terminal::paint_diff(&diff, terminal::color(Stream::Output)))?;
        }
    }
    if outcome == Outcome::Findings {
        let shown = folder.with_extension("svspec");
        terminal::note(&format!(
            "the snapshot is not what the spec means: run `svc snapshot {}`, and read what changes",
            shown.display()
        ));
    }
    Ok(outcome)
}

/// The files of the snapshot on disk, whatever a reviewer keeps beside them left out; none if there is no snapshot yet.
fn committed(folder: &Path, snapshot: &BTreeMap<String, String>) -> anyhow::Result<BTreeMap<String, String>> {
    let read = || -> std::io::Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        if !folder.exists() {
            return Ok(files);
        }
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let text = std::fs::read_to_string(&path)?;
                if snapshot.contains_key(&name) || text.contains("by `svc snapshot`") {
                    files.insert(name, text);
                }
            }
        }
        Ok(files)
    };
    read().with_context(|| format!("cannot read the snapshot `{}`", folder.display()))
}

/// Writes what differs and removes the files of targets that are gone.
fn write(folder: &Path, snapshot: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let committed = committed(folder, snapshot)?;
    let attempt = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for (name, text) in snapshot.iter().filter(|(name, text)| committed.get(*name) != Some(*text)) {
            std::fs::write(folder.join(name), text)?;
        }
        for name in committed.keys().filter(|name| !snapshot.contains_key(*name)) {
            std::fs::remove_file(folder.join(name))?;
        }
        Ok(())
    };
    attempt().with_context(|| format!("cannot write the snapshot `{}`", folder.display()))
}
