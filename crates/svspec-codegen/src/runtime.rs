//! The runtime's source as it lies in a generated crate, and what it depends on.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

const MANIFEST: &str = "runtime/Cargo.toml";

/// Path and text of each file, the path from the generated crate's folder.
pub fn sources() -> impl Iterator<Item = (String, String)> {
    SOURCES.iter().map(|&(path, text)| {
        let text = if path == MANIFEST { without_dev_dependencies(text) } else { text.to_owned() };
        (path.to_owned(), text)
    })
}

/// The lock file of the workspace that the compiler was built in.
pub fn workspace_lock() -> &'static str {
    LOCK
}

/// The names of the packages that the runtime depends on, its tests aside.
pub fn dependencies() -> Vec<&'static str> {
    let manifest = SOURCES.iter().find(|(path, _)| *path == MANIFEST).map_or("", |(_, text)| text);
    let mut names = Vec::new();
    let mut is_dependency = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_dependency = matches!(line.trim_end(), "[dependencies]" | "[build-dependencies]");
        } else if is_dependency && let Some((name, _)) = line.split_once('=') {
            names.push(name.split('.').next().unwrap_or(name).trim());
        }
    }
    names
}

/// The tests of the runtime stay behind, and with them what only they need.
fn without_dev_dependencies(manifest: &str) -> String {
    let mut kept = String::new();
    let mut is_kept = true;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_kept = !line.starts_with("[dev-dependencies");
        }
        if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
