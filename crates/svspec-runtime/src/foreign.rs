//! A model's table of foreign names and a folder of safetensors files that other software wrote in; its parameters out,
//! and tensors by our names laid out as those of the table.

mod files;
mod layout;

pub use files::FilesError;

use crate::params::{Params, ParamsError};
use crate::spec::{Layers, Spec, instance_name};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// Where a model's parameters lie in checkpoints of other software.
#[derive(Clone, Copy, Debug)]
pub struct Foreign {
    /// The tensors of such a checkpoint that hold them.
    pub tensors: &'static [ForeignRow],
    /// Names of others, which are not read; `{layer}` stands for any layer.
    pub ignored: &'static [&'static str],
}

impl Foreign {
    /// Of a model whose spec does not say.
    pub const NONE: Self = Self { tensors: &[], ignored: &[] };
}

/// A foreign tensor in a run of layers. Its members are matrices of out by in channels, or vectors, which have rows only.
#[derive(Debug)]
pub struct ForeignRow {
    /// Its name; `{layer}`, and `{expert}` or `{head}`, stand for their numbers, from 0.
    pub name: &'static str,
    /// Where it has tensors.
    pub layers: Layers,
    /// The paths of the parameters that it holds, in order, each with its rows.
    pub members: &'static [(&'static str, i64)],
    /// The experts, or the heads, that have a matrix or a vector each; they are the members' first dimension.
    pub slices: Option<i64>,
    /// The columns of each member; none of vectors.
    pub columns: Option<i64>,
    /// The members' rows take turns in so many blocks of equal size; 1: they follow one another as a whole.
    pub num_blocks: i64,
    /// Rows before them that nothing reads.
    pub skipped_rows: i64,
    /// Which channels come first in it.
    pub orientation: Orientation,
}

/// Which channels of a foreign matrix are its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// `[out, in]`, as here.
    OutIn,
    /// `[in, out]`.
    InOut,
}

/// Why a folder does not give the model's parameters.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// There is no table.
    #[error(
        "`{0}` says nothing of tensors in other checkpoints: write a `tensors huggingface` block in its spec"
    )]
    NoTable(&'static str),
    /// Its files are at fault.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// They hold something else.
    #[error("the tensors in `{path}` are not those of the model's spec{misfits}")]
    Misfit {
        /// The folder.
        path: PathBuf,
        /// What does not fit.
        misfits: Misfits,
    },
    /// A parameter that the table gives has another shape than the model's: a fault of the generator.
    #[error(transparent)]
    Params(#[from] ParamsError),
}

/// All that is wrong with a folder's tensors.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Misfits {
    /// Parameters that the table does not name.
    pub unnamed: Vec<String>,
    /// Foreign tensors that are not there.
    pub missing: Vec<String>,
    /// Tensors that the table does not name.
    pub unexpected: Vec<String>,
    /// Tensors of another shape, or that do not hold numbers, each with the reason.
    pub misshapen: Vec<String>,
}

impl std::fmt::Display for Misfits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        let lists = [
            ("no name is given for", &self.unnamed),
            ("missing", &self.missing),
            (
                "unexpected (name it after `ignore` in the `tensors` block if it is no parameter)",
                &self.unexpected,
            ),
            ("of another shape", &self.misshapen),
        ];
        for (what, names) in lists {
            for (index, name) in names.iter().enumerate() {
                let head = if index == 0 { format!("\n  {what}:\n    ") } else { "\n    ".to_owned() };
                let _ = write!(text, "{head}{name}");
            }
        }
        formatter.write_str(&text)
    }
}

/// The parameters in the safetensors files of `folder`, all of them in f32; in f64 if its numbers are f64.
pub fn load(spec: &Spec, foreign: Foreign, folder: &Path, device: Device) -> Result<Params, ForeignError> {
    if foreign.tensors.is_empty() {
        return Err(ForeignError::NoTable(spec.name));
    }
    let mut found = files::read(folder)?;
    let mut misfits = Misfits { unnamed: unnamed(spec, foreign), ..Misfits::default() };
    let mut ours = BTreeMap::new();
    for row in foreign.tensors {
        for layer in row.layers.instances() {
            let taken: Vec<Option<Tensor>> =
                row.names(layer).into_iter().map(|name| take(&mut found, &name, row, &mut misfits)).collect();
            let Some(parts) = taken.into_iter().collect::<Option<Vec<Tensor>>>() else { continue };
            ours.extend(row.members_of(&parts, layer));
        }
    }
    let is_ignored = |name: &str| foreign.ignored.iter().any(|pattern| matches(pattern, name));
    misfits.unexpected = found.into_keys().filter(|name| !is_ignored(name)).collect();
    if misfits != Misfits::default() {
        return Err(ForeignError::Misfit { path: folder.to_owned(), misfits });
    }
    for row in spec.params {
        for layer in row.layers.instances() {
            let name = instance_name(row.path, layer);
            if let Some(tensor) = ours.remove(&name) {
                ours.insert(name, tensor.reshape(row.shape));
            }
        }
    }
    Ok(Params::take(spec, &mut ours, device)?)
}

/// `values`, named and shaped as parameters are, laid out as the foreign tensors; each that all members of are given.
pub fn lay_out(foreign: Foreign, values: &BTreeMap<String, Tensor>) -> Vec<(String, Tensor)> {
    let mut laid_out = Vec::new();
    for row in foreign.tensors {
        for layer in row.layers.instances() {
            let members = row.members.iter().map(|(path, _)| values.get(&instance_name(path, layer)));
            let Some(members) = members.collect::<Option<Vec<&Tensor>>>() else { continue };
            laid_out.extend(row.names(layer).into_iter().zip(row.foreign_of(&members)));
        }
    }
    laid_out
}

/// Takes out the tensor called `name`, as numbers of its row's shape; what is wrong with it is noted. The entries of vectors may
/// have any shape: those of a filter lie in a matrix of channels by taps.
fn take(
    found: &mut BTreeMap<String, Tensor>,
    name: &str,
    row: &ForeignRow,
    misfits: &mut Misfits,
) -> Option<Tensor> {
    let wanted = row.shape();
    let Some(tensor) = found.remove(name) else {
        misfits.missing.push(name.to_owned());
        return None;
    };
    let without_ones = |shape: &[i64]| shape.iter().copied().filter(|&size| size != 1).collect::<Vec<i64>>();
    let num_wanted: i64 = wanted.iter().product();
    let are_vectors = row.columns.is_none() && tensor.numel() as i64 == num_wanted;
    if !are_vectors && without_ones(&tensor.size()) != without_ones(&wanted) {
        misfits.misshapen.push(format!("{name}: {:?}, where the model has {wanted:?}", tensor.size()));
        return None;
    }
    let kind = if tensor.kind() == Kind::Double { Kind::Double } else { Kind::Float };
    Some(tensor.to_kind(kind).reshape(wanted))
}

/// Parameters that no row holds.
fn unnamed(spec: &Spec, foreign: Foreign) -> Vec<String> {
    let rows = foreign.tensors.iter();
    let named: BTreeSet<String> = rows
        .flat_map(|row| {
            let layers = row.layers.instances();
            layers
                .into_iter()
                .flat_map(|layer| row.members.iter().map(move |(path, _)| instance_name(path, layer)))
        })
        .collect();
    let all = spec
        .params
        .iter()
        .flat_map(|row| row.layers.instances().into_iter().map(|layer| instance_name(row.path, layer)));
    all.filter(|name| !named.contains(name)).collect()
}

/// Whether `name` is `pattern` with some number for `{layer}`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once("{layer}") else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    digits > 0
        && rest.split_at_checked(digits).is_some_and(|(layer, rest)| rest == after.replace("{layer}", layer))
}
