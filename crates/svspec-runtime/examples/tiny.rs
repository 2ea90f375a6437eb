//! The trainer of the tests' hand-written model, as a program: for tests of signals, exit codes, limits of the system, and several processes.
//! `TINY` in its environment says which of the models it is.

#[path = "../tests/runtime/hand.rs"]
mod hand;
#[path = "../tests/runtime/tiny.rs"]
mod tiny;
#[path = "../tests/runtime/tiny_experts.rs"]
mod tiny_experts;
#[path = "../tests/runtime/tiny_halves.rs"]
mod tiny_halves;
#[path = "../tests/runtime/tiny_muon.rs"]
mod tiny_muon;
#[path = "../tests/runtime/tiny_unit.rs"]
mod tiny_unit;

fn main() -> std::process::ExitCode {
    match std::env::var("TINY").as_deref() {
        Ok("experts") => svspec_runtime::main::<tiny_experts::Balanced>(),
        Ok("halves") => svspec_runtime::main::<hand::Hand<tiny_halves::Halves<tiny::Tiny>>>(),
        Ok("muon-halves") => svspec_runtime::main::<hand::Hand<tiny_halves::Halves<tiny_muon::TinyMuon>>>(),
        Ok("muon") => svspec_runtime::main::<hand::Hand<tiny_muon::TinyMuon>>(),
        Ok("unit") => svspec_runtime::main::<hand::Hand<tiny_unit::TinyUnit>>(),
        _ => svspec_runtime::main::<hand::Hand<tiny::Tiny>>(),
    }
}
