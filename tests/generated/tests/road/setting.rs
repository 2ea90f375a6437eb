//! The folder of the suite, with its spec and its text.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use svspec_generated_tests::svc::Desk;

/// The spec, one small model and a variant.
pub const SPEC: &str = include_str!("../../specs/road.svspec");

/// Text to train on.
const TEXT: &str = include_str!("../../../../grammar/README.md");

/// `road.svspec` and `text.txt` in a folder where `svc` runs. One for all tests: a trainer is compiled once for each
/// folder that it is generated to. Each test has runs of its own there.
pub static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let desk = Desk::set(&temporary.join("road"), temporary.parent().unwrap()).unwrap();
    fs::write(desk.path("road.svspec"), SPEC).unwrap();
    fs::write(desk.path("text.txt"), TEXT).unwrap();
    desk
});

/// The arguments that begin a run in `out`.
pub fn begin(out: &str, steps: u64) -> String {
    format!("train road.svspec --data text.txt --device cpu --steps {steps} --out {out}")
}
