//! A checked model goes in, the files of a training crate come out, in memory. Pure: same model, same bytes.

pub mod error;
pub mod files;
pub mod options;

mod crate_name;
mod foreign;
mod header;
mod literal;
mod lock;
mod model;
mod names;
mod op;
mod package;
mod params;
mod print;
mod runtime;
mod scale;
mod training;

pub use error::GenerateError;
pub use files::Files;
pub use options::{Options, SpecSource};

use model::constants::Constants;
use svspec_ir::{CheckedModel, cost, rewrite};

/// The whole crate, the runtime's source and the spec included.
pub fn generate(checked: &CheckedModel, options: &Options) -> Result<Files, GenerateError> {
    let (lowered, spec) = (checked.model(), &options.spec);
    crate_name::check(&lowered.name)?;
    let (rewritten, _) = rewrite::optimise(lowered, &options.rewrites);
    let constants = Constants::of(lowered);
    let cost = cost::cost(lowered, checked.assignments());
    let mut entries = package::emit(checked, &cost, spec)?;
    let code = [
        ("src/model.rs", model::emit(lowered, &rewritten, spec)?),
        ("src/params.rs", params::emit(checked, &constants, &cost, spec)?),
        ("src/training.rs", training::emit(lowered, spec)?),
        ("Cargo.lock", lock::lock(&lowered.name)?),
    ];
    entries.extend(code.map(|(path, text)| (path.to_owned(), text)));
    entries.push((spec.file_name.clone(), spec.text.clone()));
    entries.extend(runtime::sources());
    Ok(Files::new(entries))
}
