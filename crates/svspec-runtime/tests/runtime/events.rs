//! The file for TensorBoard, read by code of its own: framing, checksums, and every number of the rows once.

use crate::runs::{Folder, options, resumption, train, train_until, turn};
use crate::tiny::Tiny;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A number under its tag at its step.
pub type Scalars = BTreeMap<(u64, String), f32>;

/// What the file of a run holds, without the times. A record that is cut or altered, or a number that is there twice, is an
/// error.
pub fn scalars(run: &Path) -> Scalars {
    let bytes = fs::read(run.join("metrics.tfevents")).unwrap();
    let mut scalars = Scalars::new();
    for (index, event) in records(&bytes).into_iter().enumerate() {
        let fields = fields(event);
        let Field::Eight(time) = fields[&1] else { panic!("a time is a double") };
        assert!(f64::from_le_bytes(time) > 1.7e9, "seconds since 1970");
        if index == 0 {
            assert_eq!(fields[&3].bytes(), b"brain.Event:2");
            continue;
        }
        let Field::Varint(step) = fields.get(&2).copied().unwrap_or(Field::Varint(0)) else {
            panic!("a step is an integer")
        };
        for value in repeated(fields[&5].bytes(), 1) {
            let value = self::fields(value);
            let tag = String::from_utf8(value[&1].bytes().to_vec()).unwrap();
            let Field::Four(number) = value[&2] else { panic!("{tag} is a float") };
            let twice = scalars.insert((step, tag), f32::from_le_bytes(number));
            assert!(twice.is_none(), "a number twice");
        }
    }
    scalars
}

/// The data of TFRecords.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_at(8);
        let (length_crc, rest) = rest.split_at(4);
        let (data, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let (data_crc, rest) = rest.split_at(4);
        for (data, masked) in [(length, length_crc), (data, data_crc)] {
            let unmasked = u32::from_le_bytes(masked.try_into().unwrap()).wrapping_sub(0xa282_ead8);
            assert_eq!(unmasked.rotate_left(15), crc32c(data));
        }
        records.push(data);
        bytes = rest;
    }
    records
}

/// CRC-32C bit by bit.
fn crc32c(data: &[u8]) -> u32 {
    let shift = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    !data.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), shift))
}

/// The value of a field, by how it is laid out.
#[derive(Clone, Copy)]
enum Field<'a> {
    Varint(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

impl<'a> Field<'a> {
    fn bytes(self) -> &'a [u8] {
        let Self::Bytes(bytes) = self else { panic!("a field has a length") };
        bytes
    }
}

/// The fields of a protocol buffer's message; the last one of a number.
fn fields(message: &[u8]) -> BTreeMap<u64, Field<'_>> {
    all_fields(message).into_iter().collect()
}

fn repeated(message: &[u8], number: u64) -> Vec<&[u8]> {
    let fields = all_fields(message).into_iter().filter(|(found, _)| *found == number);
    fields.map(|(_, field)| field.bytes()).collect()
}

fn all_fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut message)),
            1 => Field::Eight(take(&mut message, 8).try_into().unwrap()),
            2 => {
                let length = varint(&mut message) as usize;
                Field::Bytes(take(&mut message, length))
            }
            5 => Field::Four(take(&mut message, 4).try_into().unwrap()),
            other => panic!("no field is laid out as {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = message.split_at(length);
    *message = rest;
    taken
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = take(message, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

/// What the file should hold: the numbers of the rows, under tags.
pub fn expected(run: &Path) -> Scalars {
    let mut scalars = Scalars::new();
    for file in ["metrics.jsonl", "scales.jsonl"] {
        for line in fs::read_to_string(run.join(file)).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let step = row["step"].as_u64().unwrap();
            let mut number = |tag: String, number: &Value| {
                if let Some(number) = number.as_f64() {
                    scalars.insert((step, tag), number as f32);
                }
            };
            for (field, value) in row.as_object().unwrap() {
                match row["name"].as_str() {
                    _ if ["step", "tokens", "seconds"].contains(&field.as_str()) => {}
                    Some(name) => {
                        number(format!("scale_{field}_{}/{name}", row["role"].as_str().unwrap()), value);
                    }
                    None if value.is_object() => {
                        for (name, value) in value.as_object().unwrap() {
                            number(format!("{field}/{name}"), value);
                        }
                    }
                    None => number(format!("train/{field}"), value),
                }
            }
        }
    }
    scalars
}

/// RFC 3720, appendix B.4.
#[test]
fn checksums_are_the_standards() {
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}

#[test]
fn every_number_of_the_rows_is_there_once_also_of_a_resumed_run() {
    let _turn = turn();
    let folder = Folder::new("events");
    let out = folder.join("run");
    train_until::<Tiny>(&options(&folder.corpus(), &out), 13).unwrap();
    assert_eq!(scalars(&out), expected(&out));
    // As a killed run leaves it: more steps than the checkpoint counts, and a record cut short.
    let path = out.join("metrics.tfevents");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [&bytes[..], &bytes[..bytes.len() / 3]].concat()).unwrap();
    train::<Tiny>(&resumption(&out)).unwrap();
    let scalars = scalars(&out);
    assert_eq!(scalars, expected(&out));
    let losses: Vec<u64> =
        scalars.keys().filter(|(_, tag)| tag == "train/loss").map(|(step, _)| *step).collect();
    assert_eq!(losses, (1..=40).collect::<Vec<u64>>());
    assert!(scalars.contains_key(&(40, "scale_norm_input/layers.1.mlp_norm.scale".to_owned())));
}
