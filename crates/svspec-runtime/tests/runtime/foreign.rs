//! Checkpoints of other software: layouts written out entry by entry, kinds, shards, and what does not fit.

use crate::hand::Size;
use crate::runs::Folder;
use crate::tiny::Tiny;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use svspec_runtime::foreign::{self, Foreign, ForeignError, ForeignRow, Misfits, Orientation};
use svspec_runtime::spec::{Init, Layers, ParamRow, Spec};
use svspec_runtime::{Params, tensor_file};
use tch::{Device, Kind, Tensor};

const fn param(path: &'static str, layers: Layers, shape: &'static [i64]) -> ParamRow {
    ParamRow { path, layers, shape, group: 0, init: Init::Constant(0.0) }
}

const LAYERS: Layers = Layers::Range(0, 2);

/// Two heads of one channel; two experts with two hidden channels; a table of positions.
static SPEC: Spec = Spec {
    name: "laid_out",
    hash: "",
    vocab: 4,
    context: 4,
    num_layers: 2,
    document_end: None,
    params: &[
        param("positions.weight", Layers::Outside, &[2, 2]),
        param("attn.q.weight", LAYERS, &[2, 1, 2]),
        param("attn.k.weight", LAYERS, &[2, 1, 2]),
        param("attn.q.bias", LAYERS, &[2]),
        param("attn.k.bias", LAYERS, &[2]),
        param("moe.gate.weight", LAYERS, &[2, 2, 1]),
        param("moe.up.weight", LAYERS, &[2, 2, 1]),
        param("moe.down.weight", LAYERS, &[2, 1, 2]),
    ],
    groups: &[],
    matrices: &[],
    units: &[],
    scales: &[],
    training: Tiny::TRAINING,
    flops_per_token: 0.0,
};

const PLAIN: ForeignRow = ForeignRow {
    name: "",
    layers: LAYERS,
    members: &[],
    slices: None,
    columns: Some(2),
    num_blocks: 1,
    skipped_rows: 0,
    orientation: Orientation::OutIn,
};

const FOREIGN: Foreign = Foreign {
    tensors: &[
        ForeignRow {
            name: "wpe",
            layers: Layers::Outside,
            members: &[("positions.weight", 2)],
            skipped_rows: 1,
            ..PLAIN
        },
        ForeignRow {
            name: "h.{layer}.c_attn.weight",
            members: &[("attn.q.weight", 2), ("attn.k.weight", 2)],
            orientation: Orientation::InOut,
            ..PLAIN
        },
        ForeignRow {
            name: "h.{layer}.c_attn.bias",
            members: &[("attn.q.bias", 2), ("attn.k.bias", 2)],
            columns: None,
            num_blocks: 2,
            ..PLAIN
        },
        ForeignRow {
            name: "h.{layer}.gate_up",
            members: &[("moe.gate.weight", 2), ("moe.up.weight", 2)],
            slices: Some(2),
            columns: Some(1),
            num_blocks: 2,
            orientation: Orientation::InOut,
            ..PLAIN
        },
        ForeignRow {
            name: "h.{layer}.experts.{expert}.down",
            members: &[("moe.down.weight", 1)],
            slices: Some(2),
            ..PLAIN
        },
    ],
    ignored: &["h.{layer}.mask"],
};

/// Entries counted from 0 in every tensor, those of layer 1 from 100.
fn checkpoint() -> BTreeMap<String, Tensor> {
    let count = |first: i64, shape: &[i64]| {
        let end = first + shape.iter().product::<i64>();
        Tensor::arange_start(first, end, (Kind::Float, Device::Cpu)).reshape(shape)
    };
    let mut tensors = BTreeMap::from([("wpe".to_owned(), count(0, &[3, 2]))]);
    for layer in 0..2 {
        let first = 100 * layer;
        for (name, shape) in [
            ("c_attn.weight", vec![2, 4]),
            ("c_attn.bias", vec![4]),
            ("gate_up", vec![2, 1, 4]),
            ("experts.0.down", vec![1, 2]),
            ("mask", vec![1, 1, 8]),
        ] {
            tensors.insert(format!("h.{layer}.{name}"), count(first, &shape));
        }
        tensors.insert(format!("h.{layer}.experts.1.down"), count(first + 10, &[1, 2]));
    }
    tensors
}

fn write(path: &Path, tensors: &BTreeMap<String, Tensor>) {
    let list: Vec<(String, Tensor)> =
        tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    tensor_file::write(path, &list, None).unwrap();
}

fn load(folder: &Folder) -> Result<Params, ForeignError> {
    foreign::load(&SPEC, FOREIGN, &folder.0, Device::Cpu)
}

fn values(params: &Params, name: &str) -> Vec<f32> {
    Vec::<f32>::try_from(params.get(name).detach().flatten(0, -1)).unwrap()
}

#[test]
fn every_layout_is_read_entry_by_entry() {
    let folder = Folder::new("foreign-layouts");
    write(&folder.join("model.safetensors"), &checkpoint());
    let params = load(&folder).unwrap();
    assert_eq!(params.get("layers.0.attn.q.weight").size(), [2, 1, 2]);
    assert_eq!(values(&params, "positions.weight"), [2.0, 3.0, 4.0, 5.0]);
    // [[0, 1, 2, 3], [4, 5, 6, 7]], turned over: rows (0, 4), (1, 5) are the queries'.
    assert_eq!(values(&params, "layers.0.attn.q.weight"), [0.0, 4.0, 1.0, 5.0]);
    assert_eq!(values(&params, "layers.0.attn.k.weight"), [2.0, 6.0, 3.0, 7.0]);
    assert_eq!(values(&params, "layers.1.attn.q.bias"), [100.0, 102.0]);
    assert_eq!(values(&params, "layers.1.attn.k.bias"), [101.0, 103.0]);
    assert_eq!(values(&params, "layers.0.moe.gate.weight"), [0.0, 2.0, 4.0, 6.0]);
    assert_eq!(values(&params, "layers.0.moe.up.weight"), [1.0, 3.0, 5.0, 7.0]);
    assert_eq!(values(&params, "layers.1.moe.down.weight"), [100.0, 101.0, 110.0, 111.0]);
}

#[test]
fn what_was_read_is_laid_out_as_it_was() {
    let folder = Folder::new("foreign-back");
    let mut there = checkpoint();
    write(&folder.join("model.safetensors"), &there);
    let params = load(&folder).unwrap();
    let ours = params.iter().map(|param| (param.name.clone(), param.tensor.detach())).collect();
    // What nothing reads is not kept.
    let _ = there.get_mut("wpe").unwrap().get(0).zero_();
    there.retain(|name, _| !name.ends_with("mask"));
    let back: BTreeMap<String, Tensor> = foreign::lay_out(FOREIGN, &ours).into_iter().collect();
    assert!(back.keys().eq(there.keys()), "{:?}", back.keys());
    for (name, tensor) in &there {
        assert_eq!(back[name].size(), tensor.size(), "{name}");
        assert!(back[name].equal(tensor), "{name}");
    }
}

#[test]
fn shards_in_half_precision_are_read_as_f32() {
    let folder = Folder::new("foreign-shards");
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    let mut index = BTreeMap::new();
    for (number, (name, tensor)) in checkpoint().into_iter().enumerate() {
        let (kind, shard, file) = if number % 2 == 0 {
            (Kind::BFloat16, &mut first, "model-00001-of-00002.safetensors")
        } else {
            (Kind::Half, &mut second, "model-00002-of-00002.safetensors")
        };
        index.insert(name.clone(), file);
        shard.insert(name, tensor.to_kind(kind));
    }
    write(&folder.join("model-00001-of-00002.safetensors"), &first);
    write(&folder.join("model-00002-of-00002.safetensors"), &second);
    let text = serde_json::json!({ "metadata": {}, "weight_map": index }).to_string();
    fs::write(folder.join("model.safetensors.index.json"), text).unwrap();
    let params = load(&folder).unwrap();
    assert_eq!(params.get("positions.weight").kind(), Kind::Float);
    // All of them are whole numbers below 256, which every kind holds.
    assert_eq!(values(&params, "layers.1.attn.k.bias"), [101.0, 103.0]);
    assert_eq!(values(&params, "layers.0.attn.q.weight"), [0.0, 4.0, 1.0, 5.0]);
}

#[test]
fn all_that_does_not_fit_is_named_at_once() {
    let folder = Folder::new("foreign-misfits");
    let mut tensors = checkpoint();
    let gone = tensors.remove("h.1.c_attn.bias").unwrap();
    tensors.insert("h.1.c_attn.bias_".to_owned(), gone);
    tensors.insert("wpe".to_owned(), Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)));
    write(&folder.join("model.safetensors"), &tensors);
    let Err(ForeignError::Misfit { path, misfits }) = load(&folder) else { panic!("it fits") };
    assert_eq!(path, folder.0);
    let wanted = Misfits {
        unnamed: Vec::new(),
        missing: vec!["h.1.c_attn.bias".to_owned()],
        unexpected: vec!["h.1.c_attn.bias_".to_owned()],
        misshapen: vec!["wpe: [2, 3], where the model has [3, 2]".to_owned()],
    };
    assert_eq!(misfits, wanted);
    let (first, rest) = FOREIGN.tensors.split_first().unwrap();
    assert_eq!(first.name, "wpe");
    let partial = Foreign { tensors: rest, ..FOREIGN };
    let Err(ForeignError::Misfit { misfits, .. }) = foreign::load(&SPEC, partial, &folder.0, Device::Cpu)
    else {
        panic!("it fits")
    };
    assert_eq!(misfits.unnamed, ["positions.weight"]);
    assert_eq!(misfits.unexpected, ["h.1.c_attn.bias_", "wpe"]);
}

#[test]
fn a_folder_without_tensors_says_what_it_needs() {
    let folder = Folder::new("foreign-empty");
    let words = load(&folder).unwrap_err().to_string();
    assert!(words.contains("holds neither `model.safetensors` nor"), "{words}");
    fs::write(folder.join("model.safetensors.index.json"), r#"{"weight_map": {"a": "../b"}}"#).unwrap();
    let words = load(&folder).unwrap_err().to_string();
    assert!(words.contains("names the file `../b`"), "{words}");
}
