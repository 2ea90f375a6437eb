//! What models mean: derivatives, rewrites, folding and counts, on models small enough for plain loops.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

#[path = "meaning/agreement.rs"]
mod agreement;
#[path = "meaning/chunk.rs"]
mod chunk;
#[path = "meaning/correspondence.rs"]
mod correspondence;
#[path = "meaning/cost.rs"]
mod cost;
#[path = "meaning/cures.rs"]
mod cures;
#[path = "meaning/depth.rs"]
mod depth;
#[path = "meaning/documents.rs"]
mod documents;
#[path = "meaning/drawn.rs"]
mod drawn;
#[path = "meaning/experts.rs"]
mod experts;
#[path = "meaning/folding.rs"]
mod folding;
#[path = "meaning/gradients.rs"]
mod gradients;
#[path = "meaning/keeping.rs"]
mod keeping;
#[path = "meaning/migration.rs"]
mod migration;
#[path = "meaning/random.rs"]
mod random;
#[path = "meaning/rewrites.rs"]
mod rewrites;
#[path = "meaning/sketch.rs"]
mod sketch;
#[path = "meaning/spec.rs"]
mod spec;
