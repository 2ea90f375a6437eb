//! Files of text in, streams of bytes out: a token is a byte.

use crate::corpus::error::CorpusError;
use crate::corpus::shard::{Bytes, Shard, Width};
use crate::corpus::stream::{Splits, Stream};
use std::fs;
use std::path::{Path, PathBuf};

/// Of a single stream, this fraction in tenths is for training, the rest for validation.
const TRAIN_TENTHS: usize = 9;
/// The files of a folder that is split already.
const SPLIT: [&str; 2] = ["train.txt", "val.txt"];

/// The training and the validation split of a file or a folder: of its `train.txt` and `val.txt`, or of all its regular files,
/// sorted by path, one after another, hidden ones left out.
pub fn read(path: &Path) -> Result<Splits, CorpusError> {
    let [train, val] = SPLIT.map(|name| path.join(name));
    if train.is_file() && val.is_file() {
        let [train, val] = [Stream::new([whole(&train)?]), Stream::new([whole(&val)?])];
        return Ok(Splits { train, val, is_cut: false });
    }
    let files = if path.is_dir() { files_under(path)? } else { vec![path.to_owned()] };
    let stream = Stream::new(files.iter().map(|file| whole(file)).collect::<Result<Vec<_>, _>>()?);
    Ok(in_tenths(stream))
}

/// The first nine tenths and the last.
pub fn in_tenths(stream: Stream) -> Splits {
    let at = stream.len() / 10 * TRAIN_TENTHS;
    let (train, val) = stream.split(at);
    Splits { train, val, is_cut: true }
}

fn whole(file: &Path) -> Result<Shard, CorpusError> {
    let bytes = fs::read(file).map_err(|source| CorpusError::Read { path: file.to_owned(), source })?;
    let place = 0..bytes.len();
    Ok(Shard::new(file, Bytes::Held(bytes), place, Width::One))
}

/// The regular files in `folder` and below it, sorted by path. Links are not followed.
fn files_under(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let failed = |source| CorpusError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            files.append(&mut files_under(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
