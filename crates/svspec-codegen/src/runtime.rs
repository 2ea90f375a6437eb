//! The runtime's source as it lies in a generated crate.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

const MANIFEST: &str = "runtime/Cargo.toml";

/// Path and text of each file, the path from the generated crate's folder.
pub fn sources() -> impl Iterator<Item = (String, String)> {
    SOURCES.iter().map(|&(path, text)| {
        let text = if path == MANIFEST { without_dev_dependencies(text) } else { text.to_owned() };
        (path.to_owned(), text)
    })
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
