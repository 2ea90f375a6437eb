//! The meaning of a spec: a typed data-flow graph over named dimensions, and the passes over it. Pure.

pub mod checked;
pub mod cost;
pub mod diff;
pub mod dim;
pub mod eval;
pub mod fold;
pub mod graph;
pub mod group;
pub mod model;
pub mod op;
pub mod param;
pub mod print;
pub mod rewrite;
pub mod role;
pub mod roles;
pub mod rule;
pub mod rules;
pub mod scale;
pub mod train;

pub use checked::CheckedModel;
pub use diff::{Class, Diff, diff};
pub use dim::{Dim, Dims};
pub use graph::{Node, PerLayer, Region, RegionId, RegionKind, ValueId};
pub use group::{Assignment, Group};
pub use model::Model;
pub use op::{Op, Operation};
pub use param::{Init, Instance, Param, ParamId, ParamKind};
pub use role::{Absorption, Proof, Role, ScaleFacts};
pub use rule::ResolvedRule;
pub use scale::{ScaleForm, ScaleId, ScaleVector, Site};
pub use train::{AdamW, Budget, Precision, Schedule, Train};
