//! The trainer of the tests' hand-written model, as a program: for tests of signals, exit codes and limits of the system.

#[path = "../tests/runtime/hand.rs"]
mod hand;

fn main() -> std::process::ExitCode {
    svspec_runtime::main::<hand::Hand<hand::Tiny>>()
}
