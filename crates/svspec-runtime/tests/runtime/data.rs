//! What is read from a path, and what a step sees of it.

use crate::runs::Folder;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use svspec_runtime::batch::{Batch, batch, validation_starts};
use svspec_runtime::corpus::{self, Corpus, CorpusError, Stream};
use tch::{Device, Kind, Tensor};

fn read(path: &Path) -> Result<Corpus, CorpusError> {
    corpus::read(&[path.to_owned()])
}

fn text(stream: &Stream) -> String {
    stream.tokens(0, stream.len()).into_iter().map(|token| char::from(token as u8)).collect()
}

#[test]
fn a_folder_is_its_files_in_order_and_a_tenth_is_for_validation() {
    let folder = Folder::new("concatenates");
    fs::create_dir(folder.join("b")).unwrap();
    fs::write(folder.join("b/first.txt"), "3456").unwrap();
    fs::write(folder.join("a.txt"), "012").unwrap();
    fs::write(folder.join("c.txt"), "789").unwrap();
    fs::write(folder.join(".hidden"), "x").unwrap();
    let source = &read(&folder.0).unwrap().sources[0];
    assert_eq!((text(&source.train), text(&source.val)), ("012345678".into(), "9".into()));
    // Across the ends of files, and past the end of all.
    let seen: Vec<u8> = source.train.tokens(2, 20).into_iter().map(|token| token as u8).collect();
    assert_eq!(seen, b"2345678");
}

#[test]
fn a_folder_with_a_split_is_taken_as_split() {
    let folder = Folder::new("split");
    fs::write(folder.join("train.txt"), "train").unwrap();
    fs::write(folder.join("val.txt"), "val").unwrap();
    fs::write(folder.join("notes.txt"), "notes").unwrap();
    let source = &read(&folder.0).unwrap().sources[0];
    assert_eq!((text(&source.train), text(&source.val)), ("train".into(), "val".into()));
}

#[test]
fn text_that_is_missing_too_short_or_outside_the_vocabulary_is_an_error() {
    let folder = Folder::new("unfit");
    let error = read(&folder.join("nowhere")).unwrap_err();
    assert!(matches!(error, CorpusError::Read { .. }) && error.to_string().contains("nowhere"), "{error}");
    assert!(read(&folder.0).unwrap().check(4, 256).is_err(), "an empty folder");

    let file = folder.join("text");
    fs::write(&file, "0123456789".repeat(5)).unwrap();
    let corpus = read(&file).unwrap();
    assert_eq!((corpus.sources[0].train.len(), corpus.sources[0].val.len()), (45, 5));
    corpus.check(4, 256).unwrap();
    let error = corpus.check(5, 256).unwrap_err();
    assert!(
        error.to_string().contains("validation split")
            && error.to_string().contains("has 5 tokens")
            && error.to_string().contains("needs 6"),
        "{error}"
    );
    let error = corpus.check(4, 57).unwrap_err();
    assert!(matches!(error, CorpusError::OutsideVocab { token: 57, vocab: 57, .. }), "{error}");
}

#[test]
fn a_fingerprint_tells_texts_apart_by_one_byte() {
    let folder = Folder::new("fingerprint");
    let fingerprint = |text: String| {
        fs::write(folder.join("text"), text).unwrap();
        read(&folder.join("text")).unwrap().fingerprint()
    };
    let one = fingerprint("abcdefghij".repeat(10));
    assert_eq!(one, fingerprint("abcdefghij".repeat(10)));
    assert_ne!(one, fingerprint("abcdefghij".repeat(9) + "abcdefghik"));
}

#[test]
fn unigram_entropy_is_that_of_the_training_frequencies() {
    let folder = Folder::new("unigram");
    fs::write(folder.join("train.txt"), "aab".repeat(20_000)).unwrap();
    fs::write(folder.join("val.txt"), "abab").unwrap();
    let entropy = read(&folder.0).unwrap().unigram_entropy(256);
    // a: 2/3, b: 1/3, and half of each to predict; one added to each of 256 counts moves it by less than 0.01.
    let expected = -0.5 * ((2.0_f64 / 3.0).ln() + (1.0_f64 / 3.0).ln());
    assert!((entropy - expected).abs() < 0.01, "{entropy} against {expected}");
}

#[test]
fn targets_are_the_tokens_one_on() {
    let tokens: Vec<i64> = (0..5).chain(95..100).collect();
    let Batch { tokens_bt, targets_bt } = batch(&tokens, 4, Device::Cpu);
    let expected = Tensor::from_slice(&[0_i64, 1, 2, 3, 95, 96, 97, 98]).view([2, 4]);
    assert_eq!((tokens_bt.kind(), &tokens_bt), (Kind::Int64, &expected));
    assert_eq!(targets_bt, expected + 1);
}

#[test]
fn an_epoch_of_training_windows_is_every_token_but_a_few_once() {
    let folder = Folder::new("epoch");
    let bytes: Vec<u8> = (0..=255).collect();
    fs::write(folder.join("train.txt"), &bytes).unwrap();
    fs::write(folder.join("val.txt"), &bytes).unwrap();
    let corpus = read(&folder.0).unwrap();
    let windows = |seed, sequences| corpus.training_windows(seed, sequences, 10);
    assert_eq!(windows(0, 0..24), windows(0, 0..24));
    assert_ne!(windows(0, 0..24), windows(1, 0..24));
    assert_eq!(windows(0, 5..9), windows(0, 0..24)[5 * 11..9 * 11]);
    for epoch in 0..5 {
        let read = windows(3, epoch * 24..(epoch + 1) * 24);
        let tokens: BTreeSet<i64> = read.chunks(11).flat_map(|window| window[..10].to_vec()).collect();
        assert_eq!(tokens.len(), 240, "none twice");
    }
}

#[test]
fn a_mixture_reads_its_sources_in_their_shares() {
    let folder = Folder::new("mixture");
    for (name, letter) in [("a", "a"), ("b", "b")] {
        fs::write(folder.join(name), letter.repeat(1000)).unwrap();
    }
    let [a, b] = ["a@3", "b@1"].map(|name| folder.join(name));
    let corpus = corpus::read(&[a, b]).unwrap();
    assert_eq!(corpus.sources.iter().map(|source| source.share).collect::<Vec<_>>(), [0.75, 0.25]);
    let windows = corpus.training_windows(0, 0..4096, 3);
    let num_a =
        windows.chunks(4).filter(|window| window.iter().all(|&token| token == i64::from(b'a'))).count();
    let num_b =
        windows.chunks(4).filter(|window| window.iter().all(|&token| token == i64::from(b'b'))).count();
    assert_eq!((num_a, num_b), (3072, 1024));

    let error = corpus::read(&[folder.join("a@3"), folder.join("b")]).unwrap_err();
    assert!(error.to_string().contains("no weight"), "{error}");
    for weight in ["0", "-1", "NaN", "inf"] {
        let error = corpus::read(&[folder.join("a@1"), folder.join(&format!("b@{weight}"))]).unwrap_err();
        assert!(error.to_string().contains(&format!("b` has the weight {weight}")), "{error}");
        assert!(matches!(read(&folder.join(&format!("a@{weight}"))), Err(CorpusError::Weight { .. })));
    }
    for [a, b] in [["a@1", "b@1e-9"], ["a@1e308", "b@1e308"]] {
        let error = corpus::read(&[folder.join(a), folder.join(b)]).unwrap_err();
        assert!(matches!(error, CorpusError::Share { .. }), "{error}");
    }
    // A path that is there is a path.
    fs::write(folder.join("c@2"), "c".repeat(100)).unwrap();
    assert_eq!(read(&folder.join("c@2")).unwrap().sources[0].path, folder.join("c@2"));
}

#[test]
fn validation_windows_are_apart_and_span_the_split() {
    assert_eq!(validation_starts(101, 10, 1000), (0..10).map(|index| index * 10).collect::<Vec<_>>());
    let few = validation_starts(10_001, 10, 50);
    assert_eq!((few.len(), few[0], few[4]), (5, 0, 9990));
    assert_eq!(validation_starts(11, 10, 1000), [0]);
}
