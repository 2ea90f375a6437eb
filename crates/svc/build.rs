//! Embeds the families' data: each file of `templates/families`, so that a family more is files more.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates/families");
    let mut code = String::new();
    for (name, folder) in [("OWN", folder.clone()), ("SHARED", folder.join("shared"))] {
        println!("cargo::rerun-if-changed={}", folder.display());
        list(&mut code, name, &folder).map_err(io::Error::other)?;
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("families.rs"), code)
}

/// A table of the folder's files: their names without `.tera`, and their text.
fn list(code: &mut String, table: &str, folder: &Path) -> io::Result<()> {
    let entries =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    let mut line = |text: String| writeln!(code, "{text}").map_err(io::Error::other);
    line(format!("const {table}: &[(&str, &str)] = &["))?;
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.strip_suffix(".tera").unwrap_or(&name);
        line(format!("    ({name:?}, {:?}),", fs::read_to_string(&file)?))?;
    }
    line("];".to_owned())
}
