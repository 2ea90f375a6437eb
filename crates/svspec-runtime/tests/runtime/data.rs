//! What is read from a path, and what a step sees of it.

use crate::runs::Folder;
use std::collections::BTreeSet;
use std::fs;
use svspec_runtime::batch::{Batch, batch, training_start, validation_starts};
use svspec_runtime::corpus::{self, CorpusError};
use tch::{Device, Kind, Tensor};

#[test]
fn a_folder_is_its_files_in_order_and_a_tenth_is_for_validation() {
    let folder = Folder::new("concatenates");
    fs::create_dir(folder.join("b")).unwrap();
    fs::write(folder.join("b/first.txt"), "3456").unwrap();
    fs::write(folder.join("a.txt"), "012").unwrap();
    fs::write(folder.join("c.txt"), "789").unwrap();
    fs::write(folder.join(".hidden"), "x").unwrap();
    let corpus = corpus::read(&folder.0).unwrap();
    assert_eq!((corpus.train.as_slice(), corpus.val.as_slice()), (b"012345678".as_slice(), b"9".as_slice()));
}

#[test]
fn a_folder_with_a_split_is_taken_as_split() {
    let folder = Folder::new("split");
    fs::write(folder.join("train.bin"), "train").unwrap();
    fs::write(folder.join("val.bin"), "val").unwrap();
    fs::write(folder.join("notes.txt"), "notes").unwrap();
    let corpus = corpus::read(&folder.0).unwrap();
    assert_eq!((corpus.train.as_slice(), corpus.val.as_slice()), (b"train".as_slice(), b"val".as_slice()));
}

#[test]
fn text_that_is_missing_too_short_or_outside_the_vocabulary_is_an_error() {
    let folder = Folder::new("unfit");
    let error = corpus::read(&folder.join("nowhere")).unwrap_err();
    assert!(matches!(error, CorpusError::Read { .. }) && error.to_string().contains("nowhere"), "{error}");
    assert!(corpus::read(&folder.0).unwrap().check(4, 256).is_err(), "an empty folder");

    let file = folder.join("text");
    fs::write(&file, "0123456789".repeat(5)).unwrap();
    let corpus = corpus::read(&file).unwrap();
    assert_eq!((corpus.train.len(), corpus.val.len()), (45, 5));
    corpus.check(4, 256).unwrap();
    let error = corpus.check(5, 256).unwrap_err();
    assert!(
        error.to_string().contains("validation split")
            && error.to_string().contains("has 5 bytes")
            && error.to_string().contains("needs 6"),
        "{error}"
    );
    let error = corpus.check(4, 57).unwrap_err();
    assert!(matches!(error, CorpusError::OutsideVocab { byte: 57, vocab: 57, .. }), "{error}");
}

#[test]
fn a_fingerprint_tells_texts_apart_by_one_byte() {
    let folder = Folder::new("fingerprint");
    let fingerprint = |text: String| {
        fs::write(folder.join("text"), text).unwrap();
        corpus::read(&folder.join("text")).unwrap().fingerprint()
    };
    let one = fingerprint("abcdefghij".repeat(10));
    assert_eq!(one, fingerprint("abcdefghij".repeat(10)));
    assert_ne!(one, fingerprint("abcdefghij".repeat(9) + "abcdefghik"));
}

#[test]
fn unigram_entropy_is_that_of_the_training_frequencies() {
    let folder = Folder::new("unigram");
    fs::write(folder.join("train.bin"), "aab".repeat(20_000)).unwrap();
    fs::write(folder.join("val.bin"), "abab").unwrap();
    let entropy = corpus::read(&folder.0).unwrap().unigram_entropy();
    // a: 2/3, b: 1/3, and half of each to predict; one added to each of 256 counts moves it by less than 0.01.
    let expected = -0.5 * ((2.0_f64 / 3.0).ln() + (1.0_f64 / 3.0).ln());
    assert!((entropy - expected).abs() < 0.01, "{entropy} against {expected}");
}

#[test]
fn targets_are_the_tokens_one_on() {
    let bytes: Vec<u8> = (0..100).collect();
    let Batch { tokens_bt, targets_bt } = batch(&bytes, &[0, 95], 4, Device::Cpu);
    let expected = Tensor::from_slice(&[0_i64, 1, 2, 3, 95, 96, 97, 98]).view([2, 4]);
    assert_eq!((tokens_bt.kind(), &tokens_bt), (Kind::Int64, &expected));
    assert_eq!(targets_bt, expected + 1);
}

#[test]
fn training_windows_follow_from_seed_and_number_and_reach_the_ends() {
    let starts = |seed| (0..2000).map(|number| training_start(seed, number, 50, 10)).collect::<Vec<_>>();
    assert_eq!(starts(0), starts(0));
    assert_ne!(starts(0), starts(1));
    let seen: BTreeSet<usize> = starts(0).into_iter().collect();
    // A window of 10 and its last target take 11 of 50 bytes.
    assert_eq!(seen, (0..40).collect());
}

#[test]
fn validation_windows_are_apart_and_span_the_split() {
    assert_eq!(validation_starts(101, 10, 1000), (0..10).map(|index| index * 10).collect::<Vec<_>>());
    let few = validation_starts(10_001, 10, 50);
    assert_eq!((few.len(), few[0], few[4]), (5, 0, 9990));
    assert_eq!(validation_starts(11, 10, 1000), [0]);
}
