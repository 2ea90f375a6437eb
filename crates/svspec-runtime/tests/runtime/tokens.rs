//! Files of tokens: those of `svc prepare`, llm.c and nanoGPT, written here byte by byte as their formats say.

use crate::runs::Folder;
use std::fs;
use std::path::Path;
use svspec_runtime::corpus::{self, Corpus, CorpusError, Vocabulary};
use svspec_runtime::tensor_file;
use tch::Tensor;

fn read(path: &Path) -> Result<Corpus, CorpusError> {
    corpus::read(&[path.to_owned()])
}

fn words(tokens: &[u16]) -> Vec<u8> {
    tokens.iter().flat_map(|token| token.to_le_bytes()).collect()
}

/// llm.c's header: magic, version, number of tokens, and zeros up to 256 words.
fn header(magic: u32, version: u32, num_tokens: u32) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        [magic, version, num_tokens].iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(1024, 0);
    bytes
}

#[test]
fn nanogpt_folders_are_read_as_they_are() {
    let folder = Folder::new("nanogpt");
    fs::write(folder.join("train.bin"), words(&[1, 50_256, 3, 4])).unwrap();
    fs::write(folder.join("val.bin"), words(&[5, 6])).unwrap();
    fs::write(folder.join("meta.pkl"), "not read").unwrap();
    let corpus = read(&folder.0).unwrap();
    let source = &corpus.sources[0];
    assert_eq!(source.train.tokens(0, 10), [1, 50_256, 3, 4]);
    assert_eq!(source.val.tokens(0, 10), [5, 6]);
    assert_eq!(source.vocabulary, Vocabulary::Unknown);
    let error = corpus.check(1, 50_000).unwrap_err().to_string();
    assert!(
        error.contains("train.bin") && error.contains("50256") && error.contains("vocab = 50257"),
        "{error}"
    );

    fs::write(folder.join("val.bin"), [1, 2, 3]).unwrap();
    let error = read(&folder.0).unwrap_err().to_string();
    assert!(error.contains("val.bin") && error.contains("odd number"), "{error}");
}

#[test]
fn llm_c_shards_are_read_in_the_order_of_their_names() {
    let folder = Folder::new("llmc");
    let write = |name: &str, magic, version, tokens: Vec<u8>, num| {
        fs::write(folder.join(name), [header(magic, version, num), tokens].concat()).unwrap();
    };
    write("fineweb_train_000002.bin", 20_240_520, 1, words(&[3, 4]), 2);
    write("fineweb_train_000001.bin", 20_240_520, 1, words(&[1, 2]), 2);
    let wide: Vec<u8> = [70_000_u32, 7].iter().flat_map(|token| token.to_le_bytes()).collect();
    write("fineweb_val_000000.bin", 20_240_801, 7, wide, 2);
    let corpus = read(&folder.0).unwrap();
    assert_eq!(corpus.sources[0].train.tokens(0, 10), [1, 2, 3, 4]);
    assert_eq!(corpus.sources[0].val.tokens(0, 10), [70_000, 7]);

    write("fineweb_train_000001.bin", 20_240_520, 1, words(&[1]), 2);
    let error = read(&folder.0).unwrap_err().to_string();
    assert!(
        error.contains("fineweb_train_000001.bin") && error.contains("2 tokens in 4 bytes, and 2 bytes"),
        "{error}"
    );
    write("fineweb_train_000001.bin", 20_240_520, 9, words(&[1, 2]), 2);
    let error = read(&folder.0).unwrap_err().to_string();
    assert!(error.contains("version 9"), "{error}");
}

/// A shard as the format describes it: the header's length, the header, document starts, tokens.
fn shard(tokens: &[u16], documents: &[u64]) -> (Vec<u8>, String) {
    let documents_bytes: Vec<u8> = documents.iter().flat_map(|start| start.to_le_bytes()).collect();
    let data = [documents_bytes.clone(), words(tokens)].concat();
    let crc32 = format!("{:08x}", crc32(&data));
    let (middle, end) = (documents_bytes.len(), data.len());
    let mut header = format!(
        "{{\"__metadata__\":{{\"svspec\":\"{{\\\"crc32\\\":\\\"{crc32}\\\"}}\"}},\
         \"documents\":{{\"dtype\":\"U64\",\"shape\":[{}],\"data_offsets\":[0,{middle}]}},\
         \"tokens\":{{\"dtype\":\"U16\",\"shape\":[{}],\"data_offsets\":[{middle},{end}]}}}}",
        documents.len(),
        tokens.len(),
    );
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    ([(header.len() as u64).to_le_bytes().to_vec(), header.into_bytes(), data].concat(), crc32)
}

/// CRC-32 bit by bit, by the polynomial of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

fn prepared(folder: &Folder) {
    let (train, train_crc) = shard(&[1, 2, 3, 0, 4, 0], &[0, 4]);
    let (val, val_crc) = shard(&[5, 0], &[0]);
    fs::write(folder.join("train-00000.safetensors"), train).unwrap();
    fs::write(folder.join("val-00000.safetensors"), val).unwrap();
    let list = format!(
        r#"{{"format": "svspec.dataset", "format_version": 1, "vocab": 300, "end_of_text": 0,
            "train": {{"bytes": 12, "shards": [{{"file": "train-00000.safetensors", "tokens": 6, "crc32": "{train_crc}"}}]}},
            "val": {{"bytes": 7, "shards": [{{"file": "val-00000.safetensors", "tokens": 2, "crc32": "{val_crc}"}}]}}}}"#
    );
    fs::write(folder.join("dataset.json"), list).unwrap();
}

#[test]
fn a_prepared_folder_is_read_and_knows_its_bytes() {
    let folder = Folder::new("prepared");
    prepared(&folder);
    let corpus = read(&folder.0).unwrap();
    assert_eq!(corpus.sources[0].train.tokens(0, 10), [1, 2, 3, 0, 4, 0]);
    assert_eq!(corpus.sources[0].val.tokens(0, 10), [5, 0]);
    assert_eq!(corpus.bytes_per_token(), Some(3.5));
}

#[test]
fn what_ends_documents_is_what_the_spec_says() {
    let folder = Folder::new("documents");
    prepared(&folder);
    let corpus = read(&folder.0).unwrap();
    corpus.check_documents(0).unwrap();
    let error = corpus.check_documents(4).unwrap_err().to_string();
    assert!(error.contains("end with token 0") && error.contains("write `document_end = 0`"), "{error}");

    let file = folder.join("text");
    fs::write(&file, "one\0two\0and more".repeat(5)).unwrap();
    let corpus = read(&file).unwrap();
    corpus.check_documents(0).unwrap();
    let error = corpus.check_documents(1).unwrap_err().to_string();
    assert!(error.contains("holds no such token") && error.contains("svc prepare"), "{error}");
}

#[test]
fn a_shard_that_is_damaged_cut_short_or_another_is_named() {
    let folder = Folder::new("damaged");
    let path = folder.join("train-00000.safetensors");
    let fails = |with: &str| {
        let error = read(&folder.0).unwrap_err().to_string();
        assert!(error.contains("train-00000.safetensors") && error.contains(with), "{error}");
    };
    prepared(&folder);
    let whole = fs::read(&path).unwrap();

    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&path, flipped).unwrap();
    fails("its checksum is");

    fs::write(&path, &whole[..whole.len() - 2]).unwrap();
    fails("is damaged");

    fs::write(&path, shard(&[1, 2, 3, 0, 4, 9], &[0, 4]).0).unwrap();
    fails("dataset.json says");

    fs::remove_file(&path).unwrap();
    fails("cannot read");

    prepared(&folder);
    let list = fs::read_to_string(folder.join("dataset.json")).unwrap();
    fs::write(folder.join("dataset.json"), list.replace("\"vocab\": 300", "\"vocab\": 4")).unwrap();
    fails("holds the token 4");

    prepared(&folder);
    let error = read(&folder.0).unwrap().check(1, 4).unwrap_err().to_string();
    assert!(error.contains("train-00000.safetensors") && error.contains("set vocab = 5"), "{error}");
}

#[test]
fn sources_whose_tokens_stand_for_other_text_are_no_mixture() {
    let folders = ["tokenized", "retokenized"].map(Folder::new);
    for (folder, ends) in folders.iter().zip([[1_i64, 3, 6], [2, 3, 6]]) {
        prepared(folder);
        let tensors = [
            ("bytes".to_owned(), Tensor::from_slice(b"abbccc")),
            ("ends".to_owned(), Tensor::from_slice(&ends)),
        ];
        tensor_file::write(&folder.join("vocabulary.safetensors"), &tensors, None).unwrap();
    }
    let [first, other] = folders.map(|folder| (folder.0.clone(), folder));
    corpus::read(&[first.0.clone(), first.0.clone()]).unwrap();
    let text = other.0.join("text.txt");
    fs::write(&text, "a text ".repeat(20)).unwrap();
    for another in [&other.0, &text] {
        let error = corpus::read(&[first.0.clone(), another.clone()]).unwrap_err();
        assert!(matches!(error, CorpusError::OtherVocabulary { .. }), "{error}");
        let words = error.to_string();
        assert!(words.contains(&format!("`{}`", first.0.display())), "{words}");
        assert!(words.contains(&format!("`{}`", another.display())), "{words}");
    }
}
