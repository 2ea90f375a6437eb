//! The `svc` command in a folder of its own: command lines in, exit codes and what was said out.

use anyhow::{Context as _, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder to run `svc` in. What it compiles is kept from one run of the suite to the next, and shares the suite's
/// own build folder, so that LibTorch's bindings are compiled once.
#[derive(Clone, Debug)]
pub struct Desk {
    folder: PathBuf,
    home: PathBuf,
    program: PathBuf,
}

/// What came of a command line.
#[derive(Clone, Debug)]
pub struct Said {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Desk {
    /// Builds `svc` into `target` and clears `folder` of everything but what an earlier run has compiled.
    pub fn set(folder: &Path, target: &Path) -> anyhow::Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("a checkout has a top")?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--release", "--offline", "--quiet", "--package", "svc"]);
        let output = cargo.current_dir(root).env("CARGO_TARGET_DIR", target).output()?;
        if !output.status.success() {
            bail!("cargo cannot build svc:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let home = home(folder, target)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_file() {
                fs::remove_file(&path)?;
            } else if !path.ends_with("home") && !path.ends_with("build") {
                fs::remove_dir_all(&path)?;
            }
        }
        Ok(Self { folder: folder.to_owned(), home, program: target.join("release/svc") })
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The command line `svc ARGUMENTS`, arguments separated by spaces.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args(arguments.split_whitespace());
        command.env("SVSPEC_HOME", &self.home).env_remove("CARGO_TARGET_DIR").env_remove("LD_LIBRARY_PATH");
        command
    }

    /// Runs `command` to its end.
    pub fn run(&self, command: &mut Command) -> anyhow::Result<Said> {
        let output = command.output().context("cannot run svc")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) })
    }

    /// `svc ARGUMENTS`, to its end.
    pub fn svc(&self, arguments: &str) -> anyhow::Result<Said> {
        self.run(&mut self.command(arguments))
    }

    /// The same; an error unless it ends well.
    pub fn succeed(&self, arguments: &str) -> anyhow::Result<Said> {
        let said = self.svc(arguments)?;
        if said.code != Some(0) {
            bail!("svc {arguments}: exit code {:?}\n{}{}", said.code, said.out, said.err);
        }
        Ok(said)
    }
}

/// The folder in which `target` is what `svc` takes for the shared build folder. A checkout's own is that already: by
/// the same path, so that cargo finds everything there fresh. Any other is linked to.
fn home(folder: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    if target.ends_with("target") {
        return Ok(target.parent().context("a build folder lies in a folder")?.to_owned());
    }
    let home = folder.join("home");
    fs::create_dir_all(&home)?;
    let shared = home.join("target");
    if fs::read_link(&shared).ok().as_deref() != Some(target) {
        std::os::unix::fs::symlink(target, &shared).context("the shared build folder")?;
    }
    Ok(home)
}

impl Said {
    /// What is wrong with this refusal: it must end in exit code 2, hold each of `words`, and not be a panic.
    pub fn faults_of_refusal(&self, words: &[&str]) -> Vec<String> {
        let mut faults = Vec::new();
        if self.code != Some(2) {
            faults.push(format!("exit code {:?}", self.code));
        }
        if self.err.contains("panicked") || self.err.contains("RUST_BACKTRACE") {
            faults.push("a panic".to_owned());
        }
        faults.extend(
            words.iter().filter(|word| !self.err.contains(**word)).map(|word| format!("no `{word}`")),
        );
        if !faults.is_empty() {
            faults.push(format!("in:\n{}", self.err));
        }
        faults
    }
}
