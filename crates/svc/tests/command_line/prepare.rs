//! `svc prepare`: what lies in the folder is read back here with the safetensors and tokenizers crates alone.

#![expect(clippy::unwrap_used, reason = "what cannot be read back fails its test")]

use crate::scene::Scene;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use safetensors::SafeTensors;
use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use tokenizers::Tokenizer;

const POEM: &str = "Ringel, Ringel, Reihe,\nwir sind der Kinder dreie,\nsitzen unterm Hollerbusch\nund machen alle husch, husch, husch!\n";

/// The tokens and the document starts of a shard whose tokens take `width` bytes.
fn shard(scene: &Scene, name: &str, width: usize) -> (Vec<u32>, Vec<u64>) {
    let bytes = fs::read(scene.path(name)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte));
    let words = |name: &str, width: usize| -> Vec<u64> {
        file.tensor(name).unwrap().data().chunks(width).map(word).collect()
    };
    let tokens = words("tokens", width).into_iter().map(|token| u32::try_from(token).unwrap()).collect();
    (tokens, words("documents", 8))
}

fn json_lines(documents: usize) -> String {
    let line = |index| format!("{{\"id\": {index}, \"text\": \"number {index} — ½\"}}");
    (0..documents).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn bytes_of_a_text_end_with_a_zero_byte_and_its_last_lines_are_for_validation() {
    let scene = Scene::new();
    scene.write("poem.txt", POEM);
    insta::assert_snapshot!(
        "prepare-bytes",
        scene.run("prepare poem.txt --bytes --val-fraction 0.35 -o poem")
    );
    insta::assert_snapshot!("prepare-dataset", scene.read("poem/dataset.json"));
    let (train, starts) = shard(&scene, "poem/train-00000.safetensors", 1);
    let (val, _) = shard(&scene, "poem/val-00000.safetensors", 1);
    let text =
        |tokens: &[u32]| tokens.iter().map(|&token| char::from_u32(token).unwrap()).collect::<String>();
    let (head, tail) = (text(&train), text(&val));
    assert_eq!(starts, [0]);
    assert!(head.ends_with("Hollerbusch\n\0") && tail.starts_with("und machen"), "{head}{tail}");
    assert_eq!(format!("{head}{tail}").replace('\0', ""), POEM);
}

#[test]
fn a_trained_tokenizer_writes_every_document_so_that_it_can_be_read_back() {
    let scene = Scene::new();
    scene.write("numbers.jsonl", json_lines(200));
    let line = "prepare numbers.jsonl --bpe 300 --val-fraction 0.1";
    assert!(scene.svc(&format!("{line} -o a")).output().unwrap().status.success());
    assert!(scene.svc(&format!("{line} -o b")).output().unwrap().status.success());
    for file in ["dataset.json", "tokenizer.json", "vocabulary.safetensors", "train-00000.safetensors"] {
        let [a, b] = ["a", "b"].map(|folder| fs::read(scene.path(folder).join(file)).unwrap());
        assert!(a == b, "{file} differs between two runs");
    }
    let tokenizer = Tokenizer::from_file(scene.path("a/tokenizer.json")).unwrap();
    let end = tokenizer.token_to_id("<|endoftext|>").unwrap();
    let (train, starts) = shard(&scene, "a/train-00000.safetensors", 2);
    let (val, _) = shard(&scene, "a/val-00000.safetensors", 2);
    let documents = |tokens: &[u32]| -> Vec<String> {
        let ended =
            tokens.split(|&token| token == end).map(|tokens| tokenizer.decode(tokens, false).unwrap());
        ended.filter(|text| !text.is_empty()).collect()
    };
    let expected = |is_val: bool| -> Vec<String> {
        (0..200)
            .filter(|index| (index % 10 == 9) == is_val)
            .map(|index| format!("number {index} — ½"))
            .collect()
    };
    assert_eq!(documents(&train), expected(false));
    assert_eq!(documents(&val), expected(true));
    assert_eq!(starts.len(), 180);
    assert!(starts.iter().skip(1).all(|&start| train[start as usize - 1] == end));

    // The bytes of each token, end to end, are the text.
    let bytes = fs::read(scene.path("a/vocabulary.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let ends: Vec<usize> = file
        .tensor("ends")
        .unwrap()
        .data()
        .chunks(8)
        .map(|end| u64::from_le_bytes(end.try_into().unwrap()) as usize)
        .collect();
    let spelled = file.tensor("bytes").unwrap().data().to_vec();
    let of = |token: u32| {
        &spelled[token.checked_sub(1).map_or(0, |before| ends[before as usize])..ends[token as usize]]
    };
    let first: Vec<u8> =
        train.iter().take_while(|&&token| token != end).flat_map(|&token| of(token).to_vec()).collect();
    assert_eq!(String::from_utf8(first).unwrap(), "number 0 — ½");
}

#[test]
fn lines_packed_lines_and_parquet_of_the_same_documents_make_the_same_shards() {
    let scene = Scene::new();
    let lines = json_lines(50);
    scene.write("a.jsonl", &lines);
    scene.write("b.jsonl.zst", zstd::encode_all(lines.as_bytes(), 3).unwrap());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    scene.write("c.jsonl.gz", gzip.finish().unwrap());

    let schema = Arc::new(
        parse_message_type("message docs { required int32 id; required binary text (UTF8); }").unwrap(),
    );
    let properties = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let file = fs::File::create(scene.path("d.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    for range in [0..30, 30..50] {
        let mut group = writer.next_row_group().unwrap();
        let ids: Vec<i32> = range.clone().collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<parquet::data_type::Int32Type>().write_batch(&ids, None, None).unwrap();
        column.close().unwrap();
        let texts: Vec<ByteArray> =
            range.map(|index| ByteArray::from(format!("number {index} — ½").as_str())).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();

    for (input, out) in [("a.jsonl", "a"), ("b.jsonl.zst", "b"), ("c.jsonl.gz", "c"), ("d.parquet", "d")] {
        let prepared =
            scene.run(&format!("prepare {input} --bytes --val-fraction 0.1 --shard-tokens 500 -o {out}"));
        assert!(prepared.starts_with("exit code 0"), "{prepared}");
        assert_eq!(scene.read(&format!("{out}/dataset.json")), scene.read("a/dataset.json"), "{input}");
        for shard in ["train-00000", "train-00001", "val-00000"] {
            let [one, other] = ["a", out]
                .map(|folder| fs::read(scene.path(folder).join(format!("{shard}.safetensors"))).unwrap());
            assert!(one == other, "{input} {shard}");
        }
    }
    // A document goes on in the next shard.
    let (first, _) = shard(&scene, "a/train-00000.safetensors", 1);
    let (second, starts) = shard(&scene, "a/train-00001.safetensors", 1);
    assert_eq!(first.len(), 500);
    assert!(first.last() != Some(&0) && starts[0] > 0 && second[starts[0] as usize - 1] == 0);
}

#[test]
fn what_cannot_be_prepared_is_named() {
    let scene = Scene::new();
    scene.write("numbers.jsonl", json_lines(3));
    scene.write("broken.jsonl", "{\"text\": \"a\"}\n{\"text\": \n");
    scene.write("latin.txt", b"\xe9t\xe9\n");
    scene.write("latin.txt.gz", b"\x1f\x8b");
    scene.write("empty.txt", "");
    scene.write("tokenizer.json", "{}");
    let mut said = String::new();
    for line in [
        "numbers.jsonl --bytes --text-field body",
        "broken.jsonl --bytes",
        "latin.txt --bpe 300",
        "latin.txt.gz --bytes",
        "empty.txt --bytes",
        "numbers.jsonl --bpe 256",
        "numbers.jsonl --bpe 300 --val-fraction 1.5",
        "numbers.jsonl --bytes --end-of-text EOS",
        "numbers.jsonl --tokenizer tokenizer.json",
        "nowhere.jsonl --bytes",
        "numbers.jsonl",
    ] {
        said.push_str(&format!("svc prepare {line}\n{}\n", scene.run(&format!("prepare {line} -o out"))));
        assert!(!scene.path("out").exists(), "{line}");
    }
    insta::assert_snapshot!("prepare-faults", said);
    insta::assert_snapshot!("prepare-no-validation", scene.run("prepare numbers.jsonl --bytes -o out"));
    insta::assert_snapshot!("prepare-taken", scene.run("prepare numbers.jsonl --bytes -o out"));
}

#[test]
fn a_text_of_one_endless_line_is_cut_between_characters() {
    let scene = Scene::new();
    let text = "ü".repeat(1_200_000);
    scene.write("long.txt", &text);
    let prepared = scene.run("prepare long.txt --bytes --val-fraction 0.2 -o long");
    assert!(prepared.starts_with("exit code 0"), "{prepared}");
    let (train, _) = shard(&scene, "long/train-00000.safetensors", 1);
    let (val, _) = shard(&scene, "long/val-00000.safetensors", 1);
    assert!(val.len() > 300_000 && (train.len() - 1) % 2 == 0, "{} {}", train.len(), val.len());
    assert_eq!(train.len() + val.len(), text.len() + 2);
}
