//! `svc prepare`: texts in, a folder of token shards to train on out.

use crate::outcome::Outcome;
use crate::prepare::{self, Choice, Dataset, Order, Split};
use crate::terminal;
use anyhow::bail;
use clap::{ArgGroup, Args};
use std::path::PathBuf;

/// Turn texts into tokens to train on
///
/// Reads text files, JSON lines (.jsonl, also .gz and .zst) and Parquet, and writes a folder: shards of tokens that
/// trainers map into memory, each with a checksum and with the places where documents begin; the tokenizer; and
/// dataset.json, which lists them. The same texts make the same bytes.
///
/// For validation is the end of every text file, and, evenly spread, that share of the lines and rows.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("tokens").required(true),
    after_help = "Exit codes: 0 prepared, 2 could not run.\n\n\
    Examples:\n  \
    svc prepare books/ --bpe 4096 -o books_4096          # a tokenizer trained on the spot\n  \
    svc prepare web.parquet --tokenizer tokenizer.json -o web\n  \
    svc prepare notes.jsonl --bytes -o notes\n  \
    svc train my_model.svspec --data books_4096\n  \
    svc train my_model.svspec --data web@0.8 --data notes@0.2   # a mixture"
)]
pub struct Prepare {
    /// Files, and folders of files
    #[arg(required = true, value_name = "FILE-or-FOLDER")]
    inputs: Vec<PathBuf>,
    /// The folder to write
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Encode by this tokenizer.json of Hugging Face
    #[arg(long, group = "tokens", value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// Train a byte-level BPE of so many tokens on the training documents, and encode by it
    #[arg(long, group = "tokens", value_name = "VOCAB")]
    bpe: Option<usize>,
    /// Take bytes for tokens; a zero byte ends a document
    #[arg(long, group = "tokens")]
    bytes: bool,
    /// The token that ends a document; default: the tokenizer's <|endoftext|>, <|end_of_text|>, </s> or <eos>
    #[arg(long, value_name = "TOKEN")]
    end_of_text: Option<String>,
    /// The field of JSON lines, or the column of Parquet, that holds the text
    #[arg(long, default_value = "text", value_name = "NAME")]
    text_field: String,
    /// The share that is for validation
    #[arg(long, default_value_t = 0.01, value_name = "SHARE")]
    val_fraction: f64,
    /// The most tokens in one shard
    #[arg(long, default_value_t = 100_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    shard_tokens: u64,
}

/// Writes the folder and says what is in it.
pub fn run(args: &Prepare) -> anyhow::Result<Outcome> {
    if !(0.0..1.0).contains(&args.val_fraction) {
        bail!("--val-fraction takes a share from 0 to below 1, not {}", args.val_fraction);
    }
    let choice = match (&args.tokenizer, args.bpe) {
        (Some(file), _) => Choice::File(file.clone()),
        (None, Some(vocab)) => Choice::Bpe(vocab),
        (None, None) => Choice::Bytes,
    };
    let order = Order {
        inputs: args.inputs.clone(),
        field: args.text_field.clone(),
        choice,
        end_of_text: args.end_of_text.clone(),
        val_fraction: args.val_fraction,
        shard_tokens: usize::try_from(args.shard_tokens).unwrap_or(usize::MAX),
        out: args.out.clone(),
    };
    let dataset = prepare::prepare(&order)?;
    terminal::print(&told(&args.out.display().to_string(), &dataset))?;
    Ok(Outcome::Fine)
}

fn told(folder: &str, dataset: &Dataset) -> String {
    let line = |name: &str, split: &Split| {
        format!(
            "  {name:5}  {} of {} in {}, {:.2} bytes of text to a token\n",
            terminal::counted(split.tokens, "token"),
            terminal::counted(split.documents, "document"),
            terminal::counted(split.shards.len() as u64, "shard"),
            split.bytes as f64 / split.tokens.max(1) as f64
        )
    };
    let lacks = if dataset.val.tokens == 0 {
        "nothing is left for validation, without which nothing trains: give more text, or a larger --val-fraction\n\n"
    } else {
        ""
    };
    format!(
        "{folder}/\n{}{}  vocab  {}: what a spec's `vocab` has to be, or more\n\n{lacks}train on it with\n  svc train SPEC --data {folder}\n",
        line("train", &dataset.train),
        line("val", &dataset.val),
        dataset.vocab,
    )
}
