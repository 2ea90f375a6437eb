//! The pinned list of the corpus's files: text of one line per file in, typed entries out, and back.

use anyhow::Context as _;
use std::fmt;
use std::str::FromStr;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// Learning.
    Train,
    /// Measuring; never trained on.
    Validation,
}

impl Split {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Train, Self::Validation];

    /// The stream's file, as the trainer looks for it.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Train => "train.txt",
            Self::Validation => "val.txt",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
        }
    }
}

/// One file of the corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is for.
    pub split: Split,
    /// SHA-256 in hexadecimal.
    pub hash: String,
    /// The package that it belongs to.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// Its path within the package.
    pub path: String,
}

/// The whole corpus: the files in the order in which they make the streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// SHA-256 of the training stream.
    pub train_hash: String,
    /// SHA-256 of the validation stream.
    pub validation_hash: String,
    /// The files.
    pub entries: Vec<Entry>,
}

impl List {
    /// The list that this program carries.
    pub fn pinned() -> anyhow::Result<Self> {
        include_str!("../../data/corpus.txt").parse()
    }

    /// SHA-256 of a stream.
    pub fn stream_hash(&self, split: Split) -> &str {
        match split {
            Split::Train => &self.train_hash,
            Split::Validation => &self.validation_hash,
        }
    }
}

impl FromStr for List {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut stream = |split: Split| {
            let line = lines.next().context("the list of the corpus is cut short")?;
            let hash = line
                .strip_prefix(split.file_name())
                .context("the list of the corpus has no stream's hash")?;
            anyhow::Ok(hash.trim().to_owned())
        };
        let (train_hash, validation_hash) = (stream(Split::Train)?, stream(Split::Validation)?);
        let entries = lines.map(entry).collect::<anyhow::Result<_>>()?;
        Ok(Self { train_hash, validation_hash, entries })
    }
}

fn entry(line: &str) -> anyhow::Result<Entry> {
    let parse = || {
        let mut words = line.split(' ').map(str::to_owned);
        let split = match words.next()?.as_str() {
            "train" => Split::Train,
            "validation" => Split::Validation,
            _ => return None,
        };
        Some(Entry {
            split,
            hash: words.next()?,
            package: words.next()?,
            version: words.next()?,
            path: words.next()?,
        })
    };
    parse().with_context(|| format!("the list of the corpus has the line `{line}`, which names no file"))
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# The default corpus; made by `svc corpus CRATE`. Streams, then: split, SHA-256, package, version, file."
        )?;
        for split in Split::ALL {
            writeln!(f, "{} {}", split.file_name(), self.stream_hash(split))?;
        }
        for Entry { split, hash, package, version, path } in &self.entries {
            writeln!(f, "{} {hash} {package} {version} {path}", split.word())?;
        }
        Ok(())
    }
}
