//! The checkout to its generated, committed files: the lock file of generated crates, snapshots of the specs, their pictures,
//! their table; snapshots of the tests, and what the book of architectures quotes. Read what changed before committing it.

mod lock;
mod table;

use crate::{command, repository};
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Pictures of these targets stand in specs/pictures: (spec, target).
const PICTURES: [(&str, &str); 10] = [
    ("nano", "nano"),
    ("nano", "unified"),
    ("placements", "pre"),
    ("placements", "post"),
    ("placements", "deepnorm"),
    ("placements", "peri"),
    ("placements", "reordered"),
    ("placements", "parallel"),
    ("placements", "keel"),
    ("placements", "sub_ln"),
];

/// Refreshes everything, in the order of dependence.
pub fn run() -> Result<ExitCode> {
    lock::refresh()?;
    let root = repository::root();
    let specs = repository::specs()?;
    let names: Vec<String> = specs.iter().map(|path| repository::shown(path)).collect();
    command::succeed(command::svc(
        &[&["snapshot"], names.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat(),
    ))?;
    let pictures = root.join("specs/pictures");
    std::fs::create_dir_all(&pictures)?;
    for (spec, target) in PICTURES {
        let file = format!("specs/{spec}.svspec");
        let picture = command::output(command::svc(&["show", "graph", &file, "--variant", target]), &[0])?;
        let name = if spec == target { format!("{spec}.svg") } else { format!("{spec}_{target}.svg") };
        std::fs::write(pictures.join(&name), picture).with_context(|| format!("cannot write {name}"))?;
    }
    std::fs::write(root.join("specs/README.md"), table::table(&specs)?)?;
    // Last, since one of them is that all of the above is there.
    let mut tests = command::cargo(&["test", "--release", "--quiet"]);
    tests.env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1");
    command::succeed(tests)?;
    Ok(ExitCode::SUCCESS)
}
