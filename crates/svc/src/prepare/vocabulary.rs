//! A tokenizer in, the bytes that each of its tokens stands for out, in the file a trainer reads to write text.

use super::encoder::Encoder;
use anyhow::Context as _;
use safetensors::{Dtype, tensor::TensorView};
use std::collections::BTreeMap;

/// Its name: `bytes` (U8), those of all tokens one after another, and `ends` (I64, `[vocab]`), where each ends.
pub const FILE: &str = "vocabulary.safetensors";

/// The file for `encoder`'s tokenizer.
pub fn file(encoder: &Encoder) -> anyhow::Result<Vec<u8>> {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    let json = encoder.tokenizer_json()?.unwrap_or_default();
    let spelling = Spelling::of(&json);
    for id in 0..encoder.vocab() {
        // An id may have no token.
        let token = encoder.tokenizer().and_then(|tokenizer| tokenizer.id_to_token(id)).unwrap_or_default();
        bytes.extend(spelling.bytes(&token));
        ends.extend(i64::try_from(bytes.len()).unwrap_or(i64::MAX).to_le_bytes());
    }
    let views = [
        ("bytes", TensorView::new(Dtype::U8, vec![bytes.len()], &bytes)?),
        ("ends", TensorView::new(Dtype::I64, vec![ends.len() / 8], &ends)?),
    ];
    safetensors::serialize(views, None).context("a vocabulary fits a safetensors file")
}

/// How a tokenizer spells bytes in its tokens.
enum Spelling {
    /// A character for each byte, as GPT-2 does it.
    ByteLevel(BTreeMap<char, u8>),
    /// In UTF-8, with `▁` for a space and `<0x0A>` for a byte that is no text, as SentencePiece does it.
    Plain,
}

impl Spelling {
    fn of(tokenizer_json: &str) -> Self {
        let tokenizer: serde_json::Value = serde_json::from_str(tokenizer_json).unwrap_or_default();
        let decoder = tokenizer.get("decoder").map(ToString::to_string).unwrap_or_default();
        if decoder.contains("\"ByteLevel\"") { Self::ByteLevel(byte_level()) } else { Self::Plain }
    }

    fn bytes(&self, token: &str) -> Vec<u8> {
        match self {
            Self::ByteLevel(table) => {
                let spelled: Option<Vec<u8>> = token.chars().map(|char| table.get(&char).copied()).collect();
                // A special token is spelled as it is.
                spelled.unwrap_or_else(|| token.as_bytes().to_vec())
            }
            Self::Plain => match token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>')) {
                Some(digits) if digits.len() == 2 => u8::from_str_radix(digits, 16)
                    .map_or_else(|_| token.as_bytes().to_vec(), |byte| vec![byte]),
                Some(_) | None => token.replace('▁', " ").into_bytes(),
            },
        }
    }
}

/// GPT-2's character for each byte: itself where it can be seen, else the next from U+0100 on.
fn byte_level() -> BTreeMap<char, u8> {
    let mut next = 0x100;
    let mut table = BTreeMap::new();
    for byte in 0..=u8::MAX {
        let is_seen = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let char = if is_seen { char::from(byte) } else { char::from_u32(next).unwrap_or_default() };
        next += u32::from(!is_seen);
        table.insert(char, byte);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_characters_of_bytes_are_those_of_the_tokenizers_crate() {
        let ours: Vec<char> = byte_level().into_keys().collect();
        let mut theirs: Vec<char> =
            tokenizers::decoders::byte_level::ByteLevel::alphabet().into_iter().collect();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
        assert_eq!(byte_level().get(&'Ġ'), Some(&b' '));
        assert_eq!(byte_level().get(&'Ċ'), Some(&b'\n'));
    }

    #[test]
    fn tokens_are_spelled_as_their_tokenizer_does() {
        let byte_level = Spelling::of(r#"{"decoder": {"type": "ByteLevel"}}"#);
        assert_eq!(byte_level.bytes("Ġthe"), b" the");
        assert_eq!(byte_level.bytes("<|end of text|>"), b"<|end of text|>");
        let plain = Spelling::of(r#"{"decoder": {"type": "Metaspace"}}"#);
        assert_eq!(plain.bytes("▁the"), b" the");
        assert_eq!(plain.bytes("<0x0A>"), b"\n");
        assert_eq!(plain.bytes("<s>"), b"<s>");
    }
}
