//! Texts in, a folder of checked token shards out: what `svc prepare` does, apart from its command line.

mod dataset;
mod documents;
mod encoder;
mod shard;
mod split;
mod vocabulary;

pub use dataset::{Dataset, Split};
pub use documents::Input;
pub use encoder::{Choice, Encoder};

use anyhow::{Context as _, bail};
use documents::Piece;
use indicatif::{ProgressBar, ProgressStyle};
use shard::Shards;
use split::Part;
use std::path::{Path, PathBuf};

/// Text that is encoded at once, in bytes.
const BATCH: usize = 8 << 20;

/// What is asked for.
#[derive(Debug)]
pub struct Order {
    /// Files and folders of text, JSON lines or Parquet.
    pub inputs: Vec<PathBuf>,
    /// The column or field that holds the text.
    pub field: String,
    /// How text becomes tokens.
    pub choice: Choice,
    /// The token that ends a document, where it is not one of the usual.
    pub end_of_text: Option<String>,
    /// Of the documents, or of a text's bytes, the share that is for validation.
    pub val_fraction: f64,
    /// The most tokens in a shard.
    pub shard_tokens: usize,
    /// The folder to write.
    pub out: PathBuf,
}

/// Writes the folder: whole beside its place first, so that there is never half of it.
pub fn prepare(order: &Order) -> anyhow::Result<Dataset> {
    require_free(&order.out)?;
    let inputs = documents::find(&order.inputs)?;
    let encoder = Encoder::new(&order.choice, order.end_of_text.as_deref(), || {
        documents::read(&inputs, &order.field, order.val_fraction)
    })?;
    let parent = order.out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let failed = || format!("cannot write `{}`", order.out.display());
    std::fs::create_dir_all(parent).with_context(failed)?;
    let work = tempfile::Builder::new().prefix(".prepare-").tempdir_in(parent).with_context(failed)?;
    let dataset = write(order, &inputs, &encoder, work.path())?;
    std::fs::rename(work.keep(), &order.out).with_context(failed)?;
    Ok(dataset)
}

fn require_free(out: &Path) -> anyhow::Result<()> {
    let taken = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) || out.is_file();
    if taken {
        bail!("`{}` is there already: choose another folder with -o, or remove it first", out.display());
    }
    Ok(())
}

fn write(order: &Order, inputs: &[Input], encoder: &Encoder, folder: &Path) -> anyhow::Result<Dataset> {
    let bar = progress(inputs.iter().map(|input| input.bytes).sum());
    let mut splits = Part::ALL.map(|part| Shards::new(folder, part, encoder.vocab(), order.shard_tokens));
    let mut batch: Vec<Piece> = Vec::new();
    let mut held = 0;
    let mut flush = |batch: &mut Vec<Piece>| -> anyhow::Result<()> {
        let tokens = encoder.encode(batch)?;
        for (piece, tokens) in batch.drain(..).zip(tokens) {
            let [train, val] = &mut splits;
            let shards = match piece.part {
                Part::Train => train,
                Part::Val => val,
            };
            shards.push(&tokens, piece.text.len(), piece.ends.then(|| encoder.end_of_text()))?;
        }
        Ok(())
    };
    for piece in documents::read(inputs, &order.field, order.val_fraction) {
        let piece = piece?;
        bar.inc(piece.consumed);
        held += piece.text.len();
        batch.push(piece);
        if held >= BATCH {
            flush(&mut batch)?;
            held = 0;
        }
    }
    flush(&mut batch)?;
    bar.finish_and_clear();
    let [train, val] = splits.map(Shards::finish);
    let dataset = Dataset::new(encoder, train?, val?)?;
    if dataset.train.tokens == 0 {
        bail!(
            "there is no text for training in what was given: give more of it, or a smaller --val-fraction"
        );
    }
    if let Some(text) = encoder.tokenizer_json()? {
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.join(name), bytes).with_context(|| format!("cannot write `{name}`"))
        };
        write("tokenizer.json", text.as_bytes())?;
        write(vocabulary::FILE, &vocabulary::file(encoder)?)?;
    }
    dataset.write(folder)?;
    Ok(dataset)
}

fn progress(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let style = ProgressStyle::with_template("encoding {wide_bar} {bytes}/{total_bytes}, {eta} to go");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
