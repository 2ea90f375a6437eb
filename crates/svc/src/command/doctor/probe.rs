//! One thing after the other that training needs, looked for.

use crate::home::Home;
use crate::libtorch::{self, VERSION};
use serde::Serialize;
use std::path::Path;
use std::process::Command;

/// The free space that LibTorch, its bindings' build and a few runs take together.
const NEEDED_BYTES: u64 = 3_000_000_000;

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There, and fit.
    Ok,
    /// Not there, and not needed.
    Absent,
    /// Not there or not fit: training cannot do without it.
    Missing,
}

impl State {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Absent => "-",
            Self::Missing => "MISSING",
        }
    }
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing.
    pub what: &'static str,
    /// How it stands.
    pub state: State,
    /// A version, a place, or why not.
    pub found: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(what: &'static str, found: String) -> Self {
        Self { what, state: State::Ok, found, remedy: None }
    }

    fn missing(what: &'static str, found: String, remedy: &str) -> Self {
        Self { what, state: State::Missing, found, remedy: Some(remedy.to_owned()) }
    }
}

/// Looks for everything, in the order in which training needs it.
pub fn probe(home: &Home) -> Vec<Finding> {
    let cargo = crate::cargo::program();
    let cxx = std::env::var("CXX").ok().filter(|value| !value.is_empty()).unwrap_or_else(|| "c++".to_owned());
    let python = libtorch::python();
    let is_own = matches!(libtorch::find(home), Ok(libtorch::State::Own(_) | libtorch::State::Fetched(_)));
    let mut findings = vec![
        program("cargo", &cargo, &["--version"], "install Rust 1.88 or later: https://rustup.rs"),
        program("rustc", "rustc", &["--version"], "install Rust 1.88 or later: https://rustup.rs"),
        program("C++ compiler", &cxx, &["--version"], "install one (Debian: g++), or name it by CXX"),
        program(
            "python",
            &python,
            &["--version"],
            "install Python 3 (Debian: python3), or name it by PYTHON",
        ),
        program("pip", &python, &["-m", "pip", "--version"], "install it (Debian: python3-pip)"),
        torch(home),
        cuda(),
        disk(home.folder()),
    ];
    if is_own {
        // Python and pip only serve to fetch LibTorch.
        for finding in findings.iter_mut().filter(|finding| matches!(finding.what, "python" | "pip")) {
            if finding.state == State::Missing {
                finding.state = State::Absent;
                finding.remedy = None;
            }
        }
    }
    findings
}

fn program(what: &'static str, program: &str, arguments: &[&str], remedy: &str) -> Finding {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            Finding::ok(what, said.lines().next().unwrap_or(program).trim().to_owned())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Finding::missing(what, said.lines().next().unwrap_or("it fails").trim().to_owned(), remedy)
        }
        Err(error) => Finding::missing(what, format!("cannot run `{program}`: {error}"), remedy),
    }
}

fn torch(home: &Home) -> Finding {
    let what = "LibTorch";
    match libtorch::find(home) {
        Ok(libtorch::State::Own(folder)) => Finding::ok(what, format!("{} (LIBTORCH)", folder.display())),
        Ok(libtorch::State::Fetched(folder)) => {
            Finding::ok(what, format!("{VERSION} in {}", folder.display()))
        }
        Ok(libtorch::State::Missing(folder)) => Finding {
            what,
            state: State::Missing,
            found: format!("none yet in {}", folder.display()),
            remedy: Some(
                "`svc train` fetches it when it is first needed, `svc doctor --fetch` now (547 MB)"
                    .to_owned(),
            ),
        },
        Err(error) => Finding::missing(what, error.to_string(), "set LIBTORCH right, or unset it"),
    }
}

fn cuda() -> Finding {
    let what = "CUDA";
    let query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
    match Command::new("nvidia-smi").args(query).output() {
        Ok(output) if output.status.success() => {
            let gpus = String::from_utf8_lossy(&output.stdout);
            let gpus: Vec<&str> = gpus.lines().map(str::trim).collect();
            let remedy = "to train on it, set LIBTORCH to the torch folder of a Python torch 2.11.0: the LibTorch that \
                          svc fetches is without the CUDA libraries";
            Finding { remedy: Some(remedy.to_owned()), ..Finding::ok(what, gpus.join("; ")) }
        }
        Ok(_) | Err(_) => Finding {
            what,
            state: State::Absent,
            found: "no GPU: training runs on the CPU".to_owned(),
            remedy: None,
        },
    }
}

fn disk(home: &Path) -> Finding {
    let what = "disk";
    let existing = home.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let Ok(statistics) = rustix::fs::statvfs(existing) else {
        let found = format!("cannot tell the free space of {}", existing.display());
        return Finding { what, state: State::Absent, found, remedy: None };
    };
    let free = statistics.f_bavail * statistics.f_frsize;
    let found = format!("{:.1} GB free in {}", free as f64 / 1e9, home.display());
    if free >= NEEDED_BYTES {
        Finding::ok(what, found)
    } else {
        Finding::missing(what, found, "make 3 GB free, or set SVSPEC_HOME to a folder on another disk")
    }
}
