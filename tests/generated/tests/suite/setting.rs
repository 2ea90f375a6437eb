//! The specs of the suite, and their crates, built once.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use svspec_generated_tests::compiled::Spec;
use svspec_generated_tests::crates::Crates;
use svspec_ir::rewrite::Rewrites;

/// Every technique at tiny sizes.
pub static TINY: LazyLock<Spec> =
    LazyLock::new(|| Spec::new("tiny.svspec", include_str!("../../specs/tiny.svspec")).unwrap());

/// What the ops can be set to.
pub static OPS: LazyLock<Spec> =
    LazyLock::new(|| Spec::new("ops.svspec", include_str!("../../specs/ops.svspec")).unwrap());

/// The spec of the first example.
pub static NANO: LazyLock<Spec> =
    LazyLock::new(|| Spec::new("nano.svspec", include_str!("../../../../specs/nano.svspec")).unwrap());

/// Models and settings whose memory goes to different things.
pub static MEMORY: LazyLock<Spec> =
    LazyLock::new(|| Spec::new("memory.svspec", include_str!("../../specs/memory.svspec")).unwrap());

/// The targets of `NANO` that are compiled.
pub const NANO_TARGETS: [&str; 2] = ["nano", "unified"];

/// All targets of `TINY` and `MEMORY`, and some of `NANO`, on disk.
pub static WRITTEN: LazyLock<Crates> = LazyLock::new(|| {
    let all = |spec: &'static Spec| {
        spec.targets().into_iter().map(|target| {
            let files = spec.files(&target, Rewrites::default()).unwrap();
            (target, files)
        })
    };
    let nano =
        NANO_TARGETS.map(|target| (target.to_owned(), NANO.files(target, Rewrites::default()).unwrap()));
    let crates: Vec<_> = all(&TINY).chain(all(&MEMORY)).chain(nano).collect();
    Crates::write(&scratch("crates"), &target(), &crates).unwrap()
});

/// The same, compiled.
pub static CRATES: LazyLock<Crates> = LazyLock::new(|| {
    WRITTEN.cargo(&["build", "--release", "--offline", "--quiet"]).unwrap();
    WRITTEN.clone()
});

/// All targets of `OPS`, compiled.
pub static OPS_CRATES: LazyLock<Crates> = LazyLock::new(|| {
    let crates: Vec<_> = OPS
        .targets()
        .into_iter()
        .map(|target| {
            let files = OPS.files(&target, Rewrites::default()).unwrap();
            (target, files)
        })
        .collect();
    let crates = Crates::write(&scratch("ops-crates"), &target(), &crates).unwrap();
    crates.cargo(&["build", "--release", "--offline", "--quiet"]).unwrap();
    crates
});

/// A folder of this name for the suite's files.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated").join(name)
}

/// The folder that everything is built in, so that LibTorch's bindings are compiled once.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}
