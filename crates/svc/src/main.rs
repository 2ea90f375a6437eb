//! The svspec command.
fn main() {}
