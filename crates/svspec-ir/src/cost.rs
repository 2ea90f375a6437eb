//! From a model to what it costs: parameters counted, operations per token, bytes of memory.
//!
//! Operations: a multiply-add counts as two. Training counts each op three times, once forward and twice backward (the
//! gradients by both factors of each product); recomputation and the optimizer's step are not counted. Attention is
//! counted over the positions that a query sees, on average over a full context: `(context + 1) / 2` without a window.
//!
//! Memory is that of the training step of the generated crate with LibTorch's autograd at its peak, which is found by going
//! through the step: what tensors take. Workspaces of matrix libraries, the slack of allocators and the process itself are not
//! counted.

mod chunk;
mod memory;
mod parts;
mod recompute;
mod step;

use crate::{Assignment, Model, Node, Op, ParamId, ParamKind, Region, RegionId, RegionKind, dim};
use serde::Serialize;

pub use chunk::loss_chunk;
pub(crate) use chunk::mixing_node;
pub use memory::Memory;
pub use parts::PartCost;
pub use recompute::is_recomputed;
pub(crate) use recompute::kept_layer;

/// All that is counted of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostReport {
    /// Entries of all tensors.
    pub num_params: u64,
    /// Those that one token meets: of the experts' only the chosen ones'.
    pub num_active_params: u64,
    /// Those of scale vectors.
    pub num_scale_params: u64,
    /// By kind, kinds without tensors left out.
    pub by_kind: Vec<KindCount>,
    /// Operations per token.
    pub flops: Flops,
    /// Bytes at the peak of a training step.
    pub memory: Memory,
    /// By region and part, in the order of the graph; sums to the above.
    pub parts: Vec<PartCost>,
}

/// The tensors of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// The kind.
    pub kind: ParamKind,
    /// How many tensors.
    pub num_tensors: u64,
    /// How many entries they have.
    pub num_params: u64,
}

/// Operations per token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Flops {
    /// Forward.
    pub forward: f64,
    /// Forward, matrix products only.
    pub forward_matmul: f64,
    /// A training step: three times forward.
    pub training: f64,
    /// A training step, matrix products only.
    pub training_matmul: f64,
}

/// Counts. `assignments` say what steps each tensor.
pub fn cost(model: &Model, assignments: &[Assignment]) -> CostReport {
    let by_kind = by_kind(model);
    let parts = parts::parts(model);
    let forward: f64 = parts.iter().map(|part| part.forward_flops).sum();
    let forward_matmul: f64 = parts.iter().map(|part| part.forward_matmul_flops).sum();
    let num_params = by_kind.iter().map(|kind| kind.num_params).sum();
    CostReport {
        num_params,
        num_active_params: num_params - num_idle_params(model),
        num_scale_params: by_kind
            .iter()
            .filter(|kind| kind.kind == ParamKind::Scale)
            .map(|kind| kind.num_params)
            .sum(),
        by_kind,
        flops: Flops {
            forward,
            forward_matmul,
            training: 3.0 * forward,
            training_matmul: 3.0 * forward_matmul,
        },
        memory: memory::memory(model, assignments),
        parts,
    }
}

fn by_kind(model: &Model) -> Vec<KindCount> {
    let kinds = [
        ParamKind::Embedding,
        ParamKind::Weight,
        ParamKind::Router,
        ParamKind::Scale,
        ParamKind::Bias,
        ParamKind::Correction,
    ];
    let count = |kind: ParamKind| {
        let params = model.params.iter().filter(|param| param.kind == kind);
        let (num_tensors, num_params) = params.fold((0, 0), |(tensors, entries), param| {
            let repeats = repeats(model, param.region) as u64;
            (tensors + repeats, entries + repeats * dim::num_elements(&param.dims) as u64)
        });
        KindCount { kind, num_tensors, num_params }
    };
    kinds.into_iter().map(count).filter(|count| count.num_tensors > 0).collect()
}

/// Entries of experts that a token is not given to.
fn num_idle_params(model: &Model) -> u64 {
    let of_region = |(index, region): (usize, &Region)| {
        let of_node = |node: &Node| {
            let num_chosen = node.dims.first().map_or(0, |chosen| chosen.size);
            let of_param = |param: ParamId| {
                let dims = model.params.get(param.0).map_or(&[][..], |param| param.dims.as_slice());
                dims.split_first().map_or(0, |(experts, rest)| {
                    (experts.size - num_chosen) as u64 * dim::num_elements(rest) as u64
                })
            };
            let vectors =
                if let Op::ExpertScale(op) = &node.op { model.scales.get(op.scale.0) } else { None };
            let is_of_experts = matches!(node.op, Op::ExpertLinear(_) | Op::ExpertBias(_));
            let own = if is_of_experts { node.op.operation().params() } else { Vec::new() };
            own.into_iter()
                .chain(vectors.into_iter().flat_map(|scale| scale.params.clone()))
                .map(of_param)
                .sum::<u64>()
        };
        repeats(model, RegionId(index)) as u64 * region.nodes.iter().map(of_node).sum::<u64>()
    };
    model.regions.iter().enumerate().map(of_region).sum()
}

/// How often a region occurs in the model.
fn repeats(model: &Model, id: RegionId) -> usize {
    match model.regions.get(id.0) {
        Some(Region { kind: RegionKind::Layer, .. }) => {
            model.stack.iter().filter(|&&layer| layer == id).count()
        }
        Some(_) => 1,
        None => 0,
    }
}
