//! The trainer of the tests' hand-written model, as a program: for tests of signals, exit codes and limits of the system.

#[path = "../tests/runtime/hand.rs"]
mod hand;
#[path = "../tests/runtime/tiny.rs"]
mod tiny;

fn main() -> std::process::ExitCode {
    svspec_runtime::main::<hand::Hand<tiny::Tiny>>()
}
