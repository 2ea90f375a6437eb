//! A family's folder in, what is to be compared out: what the suite here stands on.

pub mod case;
pub mod finding;
pub mod spec;
