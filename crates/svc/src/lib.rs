//! What the `svc` command does; `main.rs` only calls it.

pub mod picture;
