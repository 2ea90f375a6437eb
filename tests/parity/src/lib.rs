//! Specs and references in, what is to be compared out: what the suite here stands on.

pub mod case;
pub mod exported;
pub mod finding;
pub mod naming;
pub mod spec;
