//! Spec text to checked models.

use svspec_diagnostics::Sources;
use svspec_ir::compile::compile;
use svspec_ir::program::Program;
use svspec_ir::{CheckedModel, load};

/// Every target of `tiny.svspec`.
pub fn tiny() -> Vec<CheckedModel> {
    all_of(include_str!("tiny.svspec"))
}

/// Every target of a spec without imports.
pub fn all_of(text: &str) -> Vec<CheckedModel> {
    let mut sources = Sources::new();
    let program = program(&mut sources, text);
    program.targets().iter().map(|target| checked(&sources, &program, target)).collect()
}

/// One target of `tiny.svspec`.
pub fn tiny_target(target: &str) -> CheckedModel {
    of_text(include_str!("tiny.svspec"), target)
}

/// One target of a spec without imports.
pub fn of_text(text: &str, target: &str) -> CheckedModel {
    let mut sources = Sources::new();
    let program = program(&mut sources, text);
    checked(&sources, &program, target)
}

fn program(sources: &mut Sources, text: &str) -> Program {
    let entry = sources.add("tiny.svspec", text);
    let (program, faults) = load::load(sources, entry, &mut NoImports);
    assert!(faults.is_empty(), "{faults:#?}");
    program
}

fn checked(sources: &Sources, program: &Program, target: &str) -> CheckedModel {
    compile(program, sources, target).unwrap_or_else(|faults| panic!("{target}: {faults:#?}")).checked
}

struct NoImports;

impl load::Loader for NoImports {
    fn load(&mut self, _: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("{path} is not there"))
    }
}
