//! Where the parameters lie in checkpoints of other software: a table of names and layouts, as a spec's `tensors` block
//! gives it.
//!
//! A foreign tensor holds one parameter or several, its *members*. To tell how, every tensor is seen as a matrix: the
//! rows of a weight are its output channels, its columns its input channels, however many dimensions either has; a
//! vector has an entry for each row. Weights of experts are a matrix for each expert, a *slice*; heads are slices where
//! the layout sets them apart.

mod instance;
mod name;

pub use instance::{ForeignInstance, Piece};
pub use name::ForeignName;

use crate::{Model, Param, ParamId, ParamKind, RegionId, RegionKind};
use serde::Serialize;
use std::collections::BTreeSet;
use svspec_diagnostics::{Diagnostic, Span};

/// The table; empty if the spec has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Foreign {
    /// Region by region, in the order of the statements. No parameter is in two of them.
    pub tensors: Vec<ForeignTensor>,
    /// Tensors of such checkpoints that are no parameters, such as masks.
    pub ignored: Vec<ForeignName>,
}

/// A foreign tensor of one region, in each of its layers: a template, as its members are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForeignTensor {
    /// Its name.
    pub name: ForeignName,
    /// The parameters that it holds, at least one, of one region, in their order in it.
    pub members: Vec<ParamId>,
    /// How they lie in it.
    pub layout: Layout,
    /// The statement that says so.
    #[serde(skip)]
    pub span: Span,
}

/// How the members lie in a foreign tensor. To read one: turn it over if it is transposed, leave out the skipped rows,
/// and cut what is left, along the rows, into `num_blocks` blocks of equal size; each block holds as many-th a part of
/// the rows of the first member, then of the second, and so on, each in their order. Where slices lie in one tensor, they
/// are its first dimension, and this holds for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// 1 where the members follow one another as a whole; for queries, keys and values laid out head by head, the heads;
    /// for rows that alternate, the rows of each member. Divides every member's rows.
    pub num_blocks: usize,
    /// Rows before those of the members, which nothing reads: 0 in a checkpoint that is written.
    pub skipped_rows: usize,
    /// Whether rows and columns change places.
    pub orientation: Orientation,
    /// Where the heads of a member are.
    pub heads: Heads,
}

/// Which channels of a matrix are its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// `[out, in]`, as parameters are stored here.
    OutIn,
    /// `[in, out]`: transposed.
    InOut,
}

/// What the heads of a parameter are to a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Heads {
    /// Rows, one head's after another's.
    Together,
    /// Slices: the first dimension of the tensor, or a tensor each.
    Apart,
}

impl Layout {
    /// One parameter, as it is.
    pub const PLAIN: Self =
        Self { num_blocks: 1, skipped_rows: 0, orientation: Orientation::OutIn, heads: Heads::Together };
}

/// A parameter's shape as foreign layouts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The number of matrices or vectors, where each expert, or each head, has one.
    pub slices: Option<usize>,
    /// Output channels, entries of a vector, or token ids.
    pub rows: usize,
    /// Input channels; `None` for a vector or a number.
    pub columns: Option<usize>,
}

/// `param`, seen as a matrix or a vector, or as one for each slice.
pub fn view(param: &Param, heads: Heads) -> View {
    let size = |dims: &[crate::Dim]| crate::dim::num_elements(dims);
    let is_slice = |name: &str| match heads {
        Heads::Together => name == "experts",
        Heads::Apart => matches!(name, "heads" | "kv_heads"),
    };
    let sliced = |least: usize| {
        param
            .dims
            .split_first()
            .filter(|(first, rest)| is_slice(&first.name) && rest.len() >= least)
            .map_or((None, param.dims.as_slice()), |(first, rest)| (Some(first.size), rest))
    };
    match param.kind {
        ParamKind::Weight | ParamKind::Router => {
            let (slices, rest) = sliced(2);
            let num_out_dims = param.num_out_dims - usize::from(slices.is_some()).min(param.num_out_dims);
            let (out, inputs) = rest.split_at_checked(num_out_dims).unwrap_or((rest, &[]));
            View { slices, rows: size(out), columns: Some(size(inputs)) }
        }
        ParamKind::Embedding => {
            let (out, inputs) = param.dims.split_at_checked(1).unwrap_or((&param.dims, &[]));
            View { slices: None, rows: size(out), columns: Some(size(inputs)) }
        }
        ParamKind::Scale | ParamKind::Bias | ParamKind::Correction => {
            // A number for each expert is a router's vector; a number for each head may be a tensor each.
            let least = match heads {
                Heads::Together => 1,
                Heads::Apart => 0,
            };
            let (slices, rest) = sliced(least);
            View { slices, rows: size(rest), columns: None }
        }
    }
}

impl Model {
    /// The names of the parameters that no foreign tensor holds, as checkpoints have them, a run of layers in one.
    pub fn without_foreign_name(&self) -> Vec<String> {
        let held: BTreeSet<ParamId> =
            self.foreign.tensors.iter().flat_map(|tensor| tensor.members.iter().copied()).collect();
        let missing = self.params.iter().enumerate().filter(|(index, _)| !held.contains(&ParamId(*index)));
        let is_there = |region: RegionId| {
            let kind = self.regions.get(region.0).map(|region| region.kind);
            kind != Some(RegionKind::Layer) || self.stack.contains(&region)
        };
        missing
            .filter(|(_, param)| is_there(param.region))
            .map(|(_, param)| {
                let region = self.regions.get(param.region.0);
                match region.filter(|region| region.kind == RegionKind::Layer) {
                    Some(region) if self.layer_kinds() > 1 => {
                        format!("{} of `layer {}`", param.path, region.name)
                    }
                    Some(_) | None => param.path.clone(),
                }
            })
            .collect()
    }

    fn layer_kinds(&self) -> usize {
        self.regions.iter().filter(|region| region.kind == RegionKind::Layer).count()
    }
}

/// The fault of a model that is to be read from, or written to, a checkpoint of other software, and does not say where
/// all its parameters lie; `None` if it does.
pub fn without_foreign_name(model: &Model) -> Option<Diagnostic> {
    let missing = model.without_foreign_name();
    let first = missing.first()?;
    let message = match missing.len() {
        1 => format!("`{first}` has no name in checkpoints of other software"),
        many => format!("{many} parameters have no name in checkpoints of other software"),
    };
    let mut finding = Diagnostic::error("tensor-without-foreign-name", message);
    let path = first.split(' ').next().unwrap_or(first);
    if let Some(param) = model.params.iter().find(|param| param.path == path) {
        finding = finding.at(param.span, format!("`{path}` is one of them"));
    }
    Some(
        finding
            .help(format!("without one: {}", missing.join(", ")))
            .help(format!("write `tensors huggingface {{ {path} = \"…\" }}` in the model")),
    )
}
