//! Embeds the runtime's source, which every generated crate holds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What of the runtime's folder goes along; its tests stay here.
const PARTS: [&str; 4] = ["Cargo.toml", "build.rs", "cpp", "src"];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let runtime = root.join("crates/svspec-runtime");
    let mut files = Vec::new();
    for part in PARTS {
        println!("cargo::rerun-if-changed={}", runtime.join(part).display());
        collect(&runtime.join(part), &mut files)?;
    }
    files.sort();
    let mut code = String::from("const SOURCES: &[(&str, &str)] = &[\n");
    for file in files {
        let name = file.strip_prefix(&runtime).map_err(io::Error::other)?;
        entry(&mut code, &format!("runtime/{}", name.display()), &file)?;
    }
    entry(&mut code, "runtime/.rustfmt.toml", &root.join(".rustfmt.toml"))?;
    code.push_str("];\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("embedded.rs"), code)
}

fn entry(code: &mut String, name: &str, file: &Path) -> io::Result<()> {
    writeln!(code, "    ({name:?}, {:?}),", fs::read_to_string(file)?).map_err(io::Error::other)
}

/// The files below `path`, or `path` itself.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}
