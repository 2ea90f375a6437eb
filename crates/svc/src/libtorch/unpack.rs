//! Wheels in, the headers and libraries that a trainer needs out.

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// The libraries, by their path in a wheel. `libtorch_cpu.so` is itself linked against the two of CUDA.
const LIBRARIES: [&str; 5] = [
    "torch/lib/libc10.so",
    "torch/lib/libtorch_cpu.so",
    "torch/lib/libgomp.so.1",
    "nvidia/cu13/lib/libcudart.so.13",
    "nvidia/cu13/lib/libcupti.so.13",
];

/// Unpacks what is needed of the wheels in `wheels` to `out`. Every library must be among them.
pub fn unpack(wheels: &Path, out: &Path) -> anyhow::Result<()> {
    let mut missing: BTreeSet<&str> = LIBRARIES.into();
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template("unpacking {pos} files, {elapsed}")?);
    let entries = std::fs::read_dir(wheels).with_context(|| format!("cannot read `{}`", wheels.display()))?;
    for entry in entries {
        let wheel = entry.with_context(|| format!("cannot read `{}`", wheels.display()))?.path();
        unpack_wheel(&wheel, out, &mut missing, &bar)
            .with_context(|| format!("cannot unpack `{}`", wheel.display()))?;
    }
    bar.finish_and_clear();
    if !missing.is_empty() {
        let missing: Vec<&str> = missing.into_iter().collect();
        bail!("the wheels hold no {}: remove them and run the same command again", missing.join(", "));
    }
    Ok(())
}

fn unpack_wheel(
    wheel: &Path,
    out: &Path,
    missing: &mut BTreeSet<&str>,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        let Some(path) = destination(file.name()) else { continue };
        missing.remove(file.name());
        let path = out.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(out))?;
        // Reading to the end checks the entry's CRC-32 as well.
        std::io::copy(&mut file, &mut File::create(&path)?)?;
        bar.inc(1);
    }
    Ok(())
}

/// Where a wheel's file goes; `None` where it is not needed.
fn destination(name: &str) -> Option<PathBuf> {
    if name.ends_with('/') || name.split('/').any(|part| part == "..") {
        return None;
    }
    if LIBRARIES.contains(&name) {
        return name.rsplit('/').next().map(|file| Path::new("lib").join(file));
    }
    if let Some(header) = name.strip_prefix("torch/include/") {
        return Some(Path::new("include").join(header));
    }
    name.strip_prefix("nvidia/cu13/include/").map(|header| Path::new("cuda-include").join(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_and_listed_libraries_are_unpacked() {
        let to = |name| destination(name).map(|path| path.display().to_string());
        assert_eq!(to("torch/lib/libc10.so").as_deref(), Some("lib/libc10.so"));
        assert_eq!(to("torch/include/c10/util/Half.h").as_deref(), Some("include/c10/util/Half.h"));
        assert_eq!(to("nvidia/cu13/include/cuda.h").as_deref(), Some("cuda-include/cuda.h"));
        assert_eq!(to("torch/lib/libtorch_python.so"), None);
        assert_eq!(to("torch/include/../../escape.h"), None);
    }

    #[test]
    fn a_wheel_without_the_libraries_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let wheels = folder.path().join("wheels");
        std::fs::create_dir(&wheels).unwrap();
        let mut zip = zip::ZipWriter::new(File::create(wheels.join("torch.whl")).unwrap());
        zip.start_file("torch/include/a.h", zip::write::SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap();
        let error = unpack(&wheels, &folder.path().join("out")).unwrap_err().to_string();
        assert!(error.contains("torch/lib/libtorch_cpu.so"), "{error}");
        assert!(folder.path().join("out/include/a.h").is_file());
    }
}
