//! Fetches the pinned LibTorch: wheels checked by hash, unpacked beside the place, put there in one step.

use super::{LIBRARY, VERSION, unpack};
use crate::terminal;
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The wheels, with their hashes; pip refuses any other bytes.
const REQUIREMENTS: &str = include_str!("../../data/libtorch-requirements.txt");

/// The size of the wheels together, for the progress bar.
const DOWNLOAD_BYTES: u64 = 547_000_000;

/// Puts LibTorch in `folder`.
pub fn fetch(folder: &Path) -> anyhow::Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!(
            "LibTorch is fetched for x86-64 Linux only: set LIBTORCH to the folder of a LibTorch {VERSION} of your own"
        );
    }
    let parent = folder.parent().context("the place of LibTorch is a folder of a folder")?;
    std::fs::create_dir_all(parent)
        .with_context(|| format!("cannot make the folder `{}`", parent.display()))?;
    let work = tempfile::Builder::new()
        .prefix("fetch-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot write to `{}`", parent.display()))?;
    let wheels = download(work.path())?;
    let unpacked = work.path().join("torch");
    unpack::unpack(&wheels, &unpacked)?;
    std::fs::remove_dir_all(&wheels).context("cannot remove the downloaded wheels")?;
    link_stub(&unpacked.join("lib"))?;
    std::fs::write(unpacked.join("build-version"), format!("{VERSION}\n"))
        .with_context(|| format!("cannot write to `{}`", unpacked.display()))?;
    install(&unpacked, folder)?;
    terminal::note(&format!("LibTorch {VERSION} is in {}", folder.display()));
    Ok(())
}

/// Puts the finished folder in its place. Where another process was faster, its folder stays.
fn install(unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
    if folder.join(LIBRARY).is_file() && super::version(folder).as_deref() == Some(VERSION) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot replace `{}`", folder.display()))?;
    }
    std::fs::rename(unpacked, folder).with_context(|| format!("cannot make `{}`", folder.display()))
}

/// Downloads the wheels to a folder of `work`, and says which.
fn download(work: &Path) -> anyhow::Result<PathBuf> {
    let requirements = work.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)
        .with_context(|| format!("cannot write to `{}`", work.display()))?;
    let wheels = work.join("wheels");
    let temporary = work.join("pip");
    for folder in [&wheels, &temporary] {
        std::fs::create_dir(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    // The cp312 wheel whatever the local Python is: only libtorch_python.so depends on it, and that is left out.
    let mut child = Command::new(python())
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ])
        .args(["--only-binary=:all:", "--require-hashes", "--python-version", "3.12"])
        .args(["--implementation", "cp", "--abi", "cp312", "--abi", "none"])
        .args(["--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_25_x86_64"])
        .args(["--platform", "manylinux2014_x86_64"])
        .arg("--dest")
        .arg(&wheels)
        .arg("--requirement")
        .arg(&requirements)
        // pip downloads to its temporary folder first: the bar watches that folder grow.
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| {
            format!(
                "cannot run `{}`: fetching LibTorch needs Python 3 with pip (Debian: python3-pip)",
                python()
            )
        })?;
    let errors = watch(&mut child, work)?;
    let status = child.wait().context("cannot wait for pip")?;
    if !status.success() {
        bail!("{}", explain(&errors));
    }
    Ok(wheels)
}

/// The Python that brings pip.
pub fn python() -> String {
    std::env::var("PYTHON").ok().filter(|value| !value.is_empty()).unwrap_or_else(|| "python3".to_owned())
}

/// Draws progress until pip ends, and hands back what it said.
fn watch(child: &mut Child, work: &Path) -> anyhow::Result<String> {
    let stderr = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stderr) = stderr {
            // What cannot be read of an error message is only missing from ours.
            let _ = stderr.read_to_string(&mut text);
        }
        text
    });
    terminal::note(&format!("fetching LibTorch {VERSION}: {} MB, once", DOWNLOAD_BYTES / 1_000_000));
    let bar = ProgressBar::new(DOWNLOAD_BYTES);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    )?);
    while child.try_wait().context("cannot wait for pip")?.is_none() {
        bar.set_position(size(work).min(DOWNLOAD_BYTES));
        std::thread::sleep(Duration::from_millis(150));
    }
    bar.finish_and_clear();
    Ok(reader.join().unwrap_or_default())
}

/// The bytes of the files under `folder`; files that vanish meanwhile count nothing.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of_entry = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of_entry).sum()
}

/// pip's complaint in the user's terms.
fn explain(errors: &str) -> String {
    let said = errors.trim();
    let remedy = if said.contains("No module named pip") {
        "this Python has no pip: install it (Debian: python3-pip), or name another Python by PYTHON"
    } else if said.contains("DO NOT MATCH THE HASHES") {
        "the index serves other files than those pinned here: check which index pip is configured to use"
    } else if said.contains("No space left") {
        "the disk is full: LibTorch needs 1.2 GB while it is unpacked, 0.6 GB afterwards"
    } else {
        "check the network and pip's index settings and run the same command again, or set LIBTORCH to the folder of \
         a LibTorch 2.11.0 that is already on this machine"
    };
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(6)..).unwrap_or_default();
    format!("cannot fetch LibTorch {VERSION}: {remedy}; pip said:\n  {}", last.join("\n  "))
}

/// An empty `libtorch.so`. The bindings link to it by name, and the wheel's own needs the CUDA libraries to load.
fn link_stub(lib: &Path) -> anyhow::Result<()> {
    let source = lib.join("stub.c");
    std::fs::write(&source, "void libtorch_stub(void) {}\n")
        .with_context(|| format!("cannot write to `{}`", lib.display()))?;
    let compiler =
        std::env::var("CC").ok().filter(|value| !value.is_empty()).unwrap_or_else(|| "cc".to_owned());
    let output = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-Wl,-soname,libtorch.so", "-o"])
        .arg(lib.join("libtorch.so"))
        .arg(&source)
        .output()
        .with_context(|| format!("cannot run the C compiler `{compiler}` (Debian: g++)"))?;
    if !output.status.success() {
        bail!("the C compiler `{compiler}` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    std::fs::remove_file(&source).with_context(|| format!("cannot remove `{}`", source.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_says_is_explained() {
        assert!(explain("/usr/bin/python3: No module named pip").contains("python3-pip"));
        assert!(explain("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM").contains("other files"));
        let offline =
            explain("WARNING: Retrying\nERROR: Could not find a version that satisfies torch==2.11.0");
        assert!(offline.contains("check the network"), "{offline}");
        assert!(
            offline.ends_with("\n  ERROR: Could not find a version that satisfies torch==2.11.0"),
            "{offline}"
        );
    }
}
