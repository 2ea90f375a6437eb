//! What models mean: derivatives, rewrites, folding and counts, on models small enough for plain loops.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

#[path = "meaning/agreement.rs"]
mod agreement;
#[path = "meaning/drawn.rs"]
mod drawn;
#[path = "meaning/keeping.rs"]
mod keeping;
#[path = "meaning/sketch.rs"]
mod sketch;
