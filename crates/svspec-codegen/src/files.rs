//! The generated crate as text by path.

use std::collections::BTreeMap;

/// The folder within the crate that holds the runtime's source.
pub const RUNTIME_FOLDER: &str = "runtime/";

/// Path within the crate, `/` between folders, to the file's text; in the order of paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// The files of `entries`; of two with one path, the later.
    pub fn new(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// Path and text of every file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text at `path`, if there is such a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The files that depend on the spec: all but the runtime's source.
    #[must_use]
    pub fn own(&self) -> Self {
        Self::new(
            self.iter()
                .filter(|(path, _)| !path.starts_with(RUNTIME_FOLDER))
                .map(|(path, text)| (path.to_owned(), text.to_owned())),
        )
    }
}
