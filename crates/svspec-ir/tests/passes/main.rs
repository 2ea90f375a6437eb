//! What the passes make of whole specs: roles and absorption, rules and groups, prints, diffs.

mod diffs;
mod preserving;
mod prints;
mod roles;
mod rules;
mod spec;
