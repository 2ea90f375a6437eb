//! Names, shapes and a source of bytes in; safetensors files of at most a given size in a folder, and the index that
//! transformers finds them by, out.

use crate::terminal;
use anyhow::Context as _;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Map, json};
use std::collections::HashMap;
use std::path::Path;
use svspec_ir::foreign::ForeignInstance;

/// Writes the tensors in their order, one shard in memory at a time; the number of files. `bytes` gives a tensor's
/// entries as 32-bit floats.
pub fn write(
    folder: &Path,
    tensors: &[ForeignInstance],
    max_bytes: usize,
    bytes: impl Fn(&ForeignInstance) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<usize> {
    let shards = shards(tensors, max_bytes);
    let mut weight_map = Map::new();
    for (index, shard) in shards.iter().enumerate() {
        let name = match shards.len() {
            1 => "model.safetensors".to_owned(),
            count => format!("model-{:05}-of-{count:05}.safetensors", index + 1),
        };
        if shards.len() > 1 {
            terminal::note(&format!("writing {name} ({} of {})", index + 1, shards.len()));
        }
        let data = shard.iter().map(&bytes).collect::<anyhow::Result<Vec<_>>>()?;
        let mut views = Vec::new();
        for (tensor, data) in shard.iter().zip(&data) {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), data)
                .with_context(|| format!("the tensor `{}`", tensor.name))?;
            views.push((tensor.name.as_str(), view));
            weight_map.insert(tensor.name.clone(), json!(name));
        }
        // transformers asks whose layout it is.
        let note = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let path = folder.join(&name);
        safetensors::serialize_to_file(views, Some(note), &path)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if shards.len() > 1 {
        let total_size: usize = tensors.iter().map(num_bytes).sum();
        let index = json!({ "metadata": { "total_size": total_size }, "weight_map": weight_map });
        let path = folder.join("model.safetensors.index.json");
        let text = serde_json::to_string_pretty(&index).context("an index is plain data")?;
        std::fs::write(&path, text + "\n").with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(shards.len())
}

fn num_bytes(tensor: &ForeignInstance) -> usize {
    4 * tensor.shape.iter().product::<usize>()
}

/// Runs of tensors that fit together; one that is too large by itself stands alone.
fn shards(tensors: &[ForeignInstance], max_bytes: usize) -> Vec<&[ForeignInstance]> {
    let mut shards = Vec::new();
    let mut rest = tensors;
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = |tensor: &&ForeignInstance| {
            sum += num_bytes(tensor);
            sum <= max_bytes
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (shard, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        shards.push(shard);
        rest = others;
    }
    shards
}
