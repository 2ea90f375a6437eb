//! Text in, token ids out: by a tokenizer of Hugging Face, by one trained on the spot, or byte by byte.

use super::documents::Piece;
use anyhow::{Context as _, anyhow, bail};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::{AddedToken, Tokenizer};

/// What ends a document in tokenizers that people use, the first that one has.
const ENDS: [&str; 4] = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"];
/// Of bytes, the one that ends a document: NUL, which texts do not hold.
const END_BYTE: u32 = 0;

/// How text is to become tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A token is a byte.
    Bytes,
    /// By this `tokenizer.json`.
    File(PathBuf),
    /// By a byte-level BPE of so many tokens, trained on the training documents.
    Bpe(usize),
}

/// Turns text into tokens.
#[derive(Debug)]
pub struct Encoder {
    tokenizer: Option<Box<Tokenizer>>,
    vocab: u32,
    end_of_text: u32,
}

impl Encoder {
    /// Made as `choice` says; a BPE reads the pieces that `pieces` begins.
    pub fn new<I>(choice: &Choice, end: Option<&str>, pieces: impl Fn() -> I) -> anyhow::Result<Self>
    where
        I: Iterator<Item = anyhow::Result<Piece>> + Send,
    {
        match choice {
            Choice::Bytes if end.is_some() => {
                bail!(
                    "bytes have no token of a name: leave --end-of-text out, and a zero byte ends a document"
                )
            }
            Choice::Bytes => Ok(Self { tokenizer: None, vocab: 256, end_of_text: END_BYTE }),
            Choice::File(path) => {
                Self::of(read(path)?, end).with_context(|| format!("the tokenizer `{}`", path.display()))
            }
            Choice::Bpe(vocab) => Self::of(train(*vocab, end.unwrap_or(ENDS[0]), pieces())?, end),
        }
    }

    fn of(tokenizer: Tokenizer, end: Option<&str>) -> anyhow::Result<Self> {
        let id = |token: &str| tokenizer.token_to_id(token);
        let end_of_text = match end {
            Some(token) => id(token)
                .ok_or_else(|| anyhow!("it has no token `{token}`: name another with --end-of-text"))?,
            None => ENDS.iter().find_map(|token| id(token)).ok_or_else(|| {
                anyhow!(
                    "it has none of {} to end a document with: name one with --end-of-text",
                    ENDS.join(", ")
                )
            })?,
        };
        let vocab = tokenizer.get_vocab(true).into_values().max().map_or(0, |largest| largest + 1);
        Ok(Self { tokenizer: Some(Box::new(tokenizer)), vocab, end_of_text })
    }

    /// Tokens are `0..vocab`.
    pub fn vocab(&self) -> u32 {
        self.vocab
    }

    /// The token that ends a document.
    pub fn end_of_text(&self) -> u32 {
        self.end_of_text
    }

    /// The tokenizer; none where tokens are bytes.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.tokenizer.as_deref()
    }

    /// The text of `tokenizer.json`, for whoever has the model's tokens to read or to write.
    pub fn tokenizer_json(&self) -> anyhow::Result<Option<String>> {
        self.tokenizer()
            .map(|tokenizer| tokenizer.to_string(false).map_err(|error| anyhow!(error)))
            .transpose()
    }

    /// The tokens of each piece. Special tokens that a tokenizer would put around a text are left out.
    pub fn encode(&self, pieces: &[Piece]) -> anyhow::Result<Vec<Vec<u32>>> {
        let Some(tokenizer) = &self.tokenizer else {
            return Ok(pieces
                .iter()
                .map(|piece| piece.text.iter().map(|&byte| u32::from(byte)).collect())
                .collect());
        };
        let texts = pieces.iter().map(utf8).collect::<anyhow::Result<Vec<_>>>()?;
        let encoded = tokenizer.encode_batch_fast(texts, false).map_err(|error| anyhow!(error))?;
        Ok(encoded.iter().map(|encoding| encoding.get_ids().to_vec()).collect())
    }
}

fn read(path: &Path) -> anyhow::Result<Tokenizer> {
    Tokenizer::from_file(path)
        .map_err(|error| anyhow!("cannot read the tokenizer `{}`: {error}", path.display()))
}

/// A byte-level BPE in the manner of GPT-2 (Radford et al. 2019): any text can be written with it, and read back.
fn train(
    vocab: usize,
    end: &str,
    pieces: impl Iterator<Item = anyhow::Result<Piece>> + Send,
) -> anyhow::Result<Tokenizer> {
    let alphabet: HashSet<char> = ByteLevel::alphabet().into_iter().collect();
    if vocab <= alphabet.len() {
        bail!(
            "a BPE of {vocab} tokens has no place for the 256 bytes and `{end}`: ask for more than {}",
            alphabet.len()
        );
    }
    let trainer = BpeTrainer::builder()
        .vocab_size(vocab)
        .initial_alphabet(alphabet)
        .special_tokens(vec![AddedToken::from(end, true)])
        .show_progress(false)
        .build();
    let mut trainer: TrainerWrapper = trainer.into();
    let byte_level = ByteLevel::new(false, true, true);
    let mut tokenizer = Tokenizer::new(BPE::default());
    tokenizer.with_pre_tokenizer(Some(byte_level)).with_decoder(Some(byte_level));
    let mut fault = None;
    let texts = pieces
        .filter(|piece| piece.as_ref().map_or(true, |piece| piece.part == super::Part::Train))
        .map_while(|piece| match piece.and_then(|piece| utf8(&piece).map(str::to_owned)) {
            Ok(text) => Some(text),
            Err(error) => {
                fault = Some(error);
                None
            }
        });
    tokenizer.train(&mut trainer, texts).map_err(|error| anyhow!("cannot train a tokenizer: {error}"))?;
    match fault {
        None => Ok(tokenizer),
        Some(error) => Err(error),
    }
}

fn utf8(piece: &Piece) -> anyhow::Result<&str> {
    std::str::from_utf8(&piece.text).with_context(|| {
        format!("`{}` is not UTF-8: convert it, or take its bytes for tokens with --bytes", piece.origin)
    })
}
