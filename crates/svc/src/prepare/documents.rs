//! Files in, pieces of documents out, one after another and never all at once.

use super::split::Part;
use anyhow::{Context as _, anyhow, bail};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A text is cut at the first end of a line after so many bytes, and a longer line after so many.
const PIECE: usize = 1 << 20;

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    path: PathBuf,
    kind: Kind,
    /// Its size.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A document is a file.
    Text,
    /// A document is a line.
    JsonLines(Packing),
    /// A document is a row.
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Kind {
    /// By the file's name, in either case.
    fn of(path: &Path) -> anyhow::Result<Self> {
        let extension = |path: &Path| path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let packing = match extension(path).as_str() {
            "gz" => Packing::Gzip,
            "zst" => Packing::Zstd,
            _ => Packing::None,
        };
        let inner = if packing == Packing::None { path.to_owned() } else { path.with_extension("") };
        match (extension(&inner).as_str(), packing) {
            ("jsonl" | "ndjson" | "json", packing) => Ok(Self::JsonLines(packing)),
            ("parquet", Packing::None) => Ok(Self::Parquet),
            (_, Packing::None) => Ok(Self::Text),
            (_, Packing::Gzip | Packing::Zstd) => {
                bail!("of what is packed only JSON lines are read: unpack it first")
            }
        }
    }
}

/// Part of a document, or the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// UTF-8, unless tokens are bytes.
    pub text: Vec<u8>,
    /// What it is for.
    pub part: Part,
    /// Whether the document ends here.
    pub ends: bool,
    /// Whether it is all of a document.
    whole: bool,
    /// Bytes of the input that have been read for it, about.
    pub consumed: u64,
    /// Where it is from, for messages.
    pub origin: String,
}

/// The files that `paths` are and hold, folders' files sorted by path, hidden ones left out.
pub fn find(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in paths {
        collect(path, &mut inputs).with_context(|| format!("cannot read `{}`", path.display()))?;
    }
    if inputs.is_empty() {
        bail!("there are no files to prepare");
    }
    Ok(inputs)
}

fn collect(path: &Path, inputs: &mut Vec<Input>) -> anyhow::Result<()> {
    if !path.is_dir() {
        let bytes = std::fs::metadata(path)?.len();
        inputs.push(Input { path: path.to_owned(), kind: Kind::of(path)?, bytes });
        return Ok(());
    }
    let entries: Result<Vec<_>, _> = std::fs::read_dir(path)?.collect();
    let mut paths: Vec<PathBuf> = entries?
        .into_iter()
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths.iter().try_for_each(|path| collect(path, inputs))
}

/// All pieces of all documents of `inputs`. Of texts the last `val_fraction` is for validation, of lines and rows that
/// share of the documents.
pub fn read(inputs: &[Input], field: &str, val_fraction: f64) -> Pieces {
    Pieces {
        inputs: Vec::from(inputs).into_iter(),
        field: field.to_owned(),
        val_fraction,
        num_documents: 0,
        current: Box::new(std::iter::empty()),
    }
}

/// What one file yields.
type Found = Box<dyn Iterator<Item = anyhow::Result<Piece>> + Send>;

/// See [`read`].
pub struct Pieces {
    inputs: std::vec::IntoIter<Input>,
    field: String,
    val_fraction: f64,
    /// Lines and rows so far.
    num_documents: u64,
    current: Found,
}

impl Iterator for Pieces {
    type Item = anyhow::Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(piece) = self.current.next() {
                return Some(piece.map(|piece| self.placed(piece)));
            }
            let input = self.inputs.next()?;
            let opened = match input.kind {
                Kind::Text => texts(&input, self.val_fraction),
                Kind::JsonLines(packing) => json_lines(&input, packing, &self.field),
                Kind::Parquet => rows(&input, &self.field),
            };
            let path = input.path.display().to_string();
            match opened.with_context(|| format!("cannot read `{path}`")) {
                Ok(found) => self.current = found,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Pieces {
    /// A whole document goes where its number says; a piece of a text knows already.
    fn placed(&mut self, piece: Piece) -> Piece {
        if piece.whole {
            let part = Part::of_document(self.num_documents, self.val_fraction);
            self.num_documents += 1;
            Piece { part, ..piece }
        } else {
            piece
        }
    }
}

/// A text in pieces that end with a line; it is one document for training, and one, its end, for validation.
fn texts(input: &Input, val_fraction: f64) -> anyhow::Result<Found> {
    let mut reader = BufReader::new(File::open(&input.path)?);
    let (len, origin) = (input.bytes, input.path.display().to_string());
    let (mut offset, mut line) = (0, Vec::new());
    Ok(Box::new(std::iter::from_fn(move || {
        let part = Part::of_bytes(offset, len, val_fraction);
        let mut text = std::mem::take(&mut line);
        loop {
            match read_line(&mut reader, &mut line) {
                Ok(0) if text.is_empty() => return None,
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Some(Err(error).with_context(|| format!("cannot read `{origin}`"))),
            }
            let starts_val = Part::of_bytes(offset + text.len() as u64, len, val_fraction) != part;
            if !text.is_empty() && (starts_val || text.len() >= PIECE) {
                break;
            }
            text.append(&mut line);
        }
        let consumed = text.len() as u64;
        offset += consumed;
        let ends = line.is_empty() || Part::of_bytes(offset, len, val_fraction) != part;
        Some(Ok(Piece { text, part, ends, whole: false, consumed, origin: origin.clone() }))
    })))
}

/// Appends a line to `line`; of one that is longer than a piece, a part that ends with a whole character of UTF-8.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    let before = line.len();
    reader.by_ref().take(PIECE as u64).read_until(b'\n', line)?;
    if line.last().is_some_and(|&last| last != b'\n') {
        while let Some(&next) = reader.fill_buf()?.first().filter(|next| **next & 0xc0 == 0x80) {
            line.push(next);
            reader.consume(1);
        }
    }
    Ok(line.len() - before)
}

/// A document a line.
fn json_lines(input: &Input, packing: Packing, field: &str) -> anyhow::Result<Found> {
    let file = File::open(&input.path)?;
    let reader: Box<dyn Read + Send> = match packing {
        Packing::None => Box::new(file),
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Packing::Zstd => Box::new(zstd::Decoder::new(file)?),
    };
    let (path, field) = (input.path.display().to_string(), field.to_owned());
    let lines = BufReader::new(reader).lines().enumerate();
    let document = move |(index, line): (usize, std::io::Result<String>)| -> anyhow::Result<Option<Piece>> {
        let origin = format!("{path}:{}", index + 1);
        let line = line.with_context(|| format!("cannot read `{origin}`"))?;
        if line.trim().is_empty() {
            return Ok(None);
        }
        let value: serde_json::Value =
            serde_json::from_str(&line).with_context(|| format!("`{origin}` is no JSON value"))?;
        let text = value.get(&field).and_then(serde_json::Value::as_str).ok_or_else(|| {
            let fields = value.as_object().map_or_else(String::new, |fields| {
                fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
            });
            anyhow!(
                "`{origin}` has no text in `{field}`; it has the fields {fields}: name one with --text-field"
            )
        })?;
        Ok(Some(whole(text.as_bytes().to_vec(), line.len() as u64 + 1, origin)))
    };
    Ok(Box::new(lines.filter_map(move |line| document(line).transpose())))
}

/// A document a row.
fn rows(input: &Input, field: &str) -> anyhow::Result<Found> {
    let reader = SerializedFileReader::new(File::open(&input.path)?)?;
    let schema = reader.metadata().file_metadata().schema().clone();
    let column = schema.get_fields().iter().find(|column| column.name() == field).cloned();
    let column = column.ok_or_else(|| {
        let names: Vec<&str> = schema.get_fields().iter().map(|column| column.name()).collect();
        anyhow!("it has no column `{field}`; it has {}: name one with --text-field", names.join(", "))
    })?;
    let num_rows = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0).max(1);
    let projection = Type::group_type_builder(schema.name()).with_fields(vec![column]).build()?;
    let consumed = input.bytes / num_rows;
    let (path, field) = (input.path.display().to_string(), field.to_owned());
    let rows = RowIter::from_file_into(Box::new(reader)).project(Some(projection))?;
    let document = move |(index, row): (usize, parquet::errors::Result<parquet::record::Row>)| {
        let origin = format!("{path}, row {}", index + 1);
        let row = row.with_context(|| format!("cannot read `{origin}`"))?;
        let text = row.get_string(0).with_context(|| format!("`{origin}` has no text in `{field}`"))?;
        Ok(whole(text.as_bytes().to_vec(), consumed, origin))
    };
    Ok(Box::new(rows.enumerate().map(document)))
}

fn whole(text: Vec<u8>, consumed: u64, origin: String) -> Piece {
    Piece { text, part: Part::Train, ends: true, whole: true, consumed, origin }
}
