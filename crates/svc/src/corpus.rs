//! The default corpus: the Rust sources of a generated crate's locked dependencies, as a pinned list chooses them.
//!
//! It is real text that is on every machine which has compiled a trainer. Every file is checked by hash, and so are the
//! two streams that they make, so that a loss on one machine can be compared with one on another.

mod list;
pub mod pin;

pub use list::{Entry, List, Split};

use crate::cargo::{self, Package};
use crate::hash::hash;
use crate::home::Home;
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

/// The folder with `train.txt` and `val.txt`, made from the dependencies of the crate in `folder` if it is not there.
pub fn ensure(home: &Home, folder: &Path) -> anyhow::Result<PathBuf> {
    let list = List::pinned()?;
    let corpus = home.corpus();
    if !stands(&list, &corpus) {
        let streams = assemble(&list, &cargo::packages(folder)?)?;
        write(&corpus, &streams)?;
    }
    Ok(corpus)
}

/// The two streams of the corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    train: Vec<u8>,
    validation: Vec<u8>,
}

impl Streams {
    fn of(&self, split: Split) -> &[u8] {
        match split {
            Split::Train => &self.train,
            Split::Validation => &self.validation,
        }
    }

    fn push(&mut self, split: Split, bytes: &[u8]) {
        match split {
            Split::Train => self.train.extend_from_slice(bytes),
            Split::Validation => self.validation.extend_from_slice(bytes),
        }
    }
}

fn stands(list: &List, corpus: &Path) -> bool {
    Split::ALL.iter().all(|&split| {
        std::fs::read(corpus.join(split.file_name()))
            .is_ok_and(|bytes| hash(&bytes) == list.stream_hash(split))
    })
}

fn assemble(list: &List, packages: &[Package]) -> anyhow::Result<Streams> {
    let mut streams = Streams::default();
    for entry in &list.entries {
        let folder = folder_of(entry, packages)?;
        let path = folder.join(&entry.path);
        let bytes = std::fs::read(&path)
            .with_context(|| format!("cannot read `{}`, a file of the default corpus", path.display()))?;
        if hash(&bytes) != entry.hash {
            bail!(
                "`{}` is not the file that the default corpus is pinned to (another SHA-256): remove the folder `{}` \
                 and cargo unpacks it again, or train on your own text with --data",
                path.display(),
                folder.display()
            );
        }
        streams.push(entry.split, &bytes);
    }
    for split in Split::ALL {
        if hash(streams.of(split)) != list.stream_hash(split) {
            bail!(
                "the default corpus's {} does not have its pinned SHA-256: the list is at fault",
                split.file_name()
            );
        }
    }
    Ok(streams)
}

fn folder_of<'a>(entry: &Entry, packages: &'a [Package]) -> anyhow::Result<&'a Path> {
    let is_it = |package: &&Package| package.name == entry.package && package.version == entry.version;
    match packages.iter().find(is_it) {
        Some(package) => Ok(&package.folder),
        None => bail!(
            "the default corpus is pinned to {} {}, which is not among the crate's locked dependencies: \
             train on your own text with --data FILE-or-FOLDER",
            entry.package,
            entry.version
        ),
    }
}

/// Writes both streams beside their place, then puts the folder there in one step.
fn write(corpus: &Path, streams: &Streams) -> anyhow::Result<()> {
    let parent = corpus.parent().context("the corpus's folder lies in a folder")?;
    let attempt = || -> std::io::Result<()> {
        std::fs::create_dir_all(parent)?;
        let work = tempfile::Builder::new().prefix("corpus-").tempdir_in(parent)?;
        for split in Split::ALL {
            std::fs::write(work.path().join(split.file_name()), streams.of(split))?;
        }
        if corpus.exists() {
            std::fs::remove_dir_all(corpus)?;
        }
        std::fs::rename(work.keep(), corpus)
    };
    attempt().with_context(|| format!("cannot write the default corpus to `{}`", corpus.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_list_is_well_formed() {
        let list = List::pinned().unwrap();
        let num = |split| list.entries.iter().filter(|entry| entry.split == split).count();
        assert!(num(Split::Train) > 100, "{}", num(Split::Train));
        assert!(num(Split::Validation) > 10, "{}", num(Split::Validation));
        assert_eq!(list, list.to_string().parse().unwrap());
    }

    #[test]
    fn a_changed_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rs"), "fn a() {}").unwrap();
        let package = Package { name: "a".into(), version: "1.0.0".into(), folder: folder.path().into() };
        let entry = Entry {
            split: Split::Train,
            hash: hash(b"fn b() {}"),
            package: "a".into(),
            version: "1.0.0".into(),
            path: "a.rs".into(),
        };
        let list = List { train_hash: hash(b"fn b() {}"), validation_hash: hash(b""), entries: vec![entry] };
        let error = assemble(&list, &[package]).unwrap_err().to_string();
        assert!(error.contains("a.rs") && error.contains("--data"), "{error}");
        let error = assemble(&list, &[]).unwrap_err().to_string();
        assert!(error.contains("pinned to a 1.0.0"), "{error}");
    }
}
