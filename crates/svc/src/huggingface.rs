//! Model families as transformers knows them: a `config.json` to a spec, and a checked model to a `config.json` and named
//! tensors. What a family is stands in `templates/families/`, as data: nothing here knows one by name.

mod config;
mod data;
mod facts;
mod family;
mod fit;
mod search;
mod shards;
mod stack;
mod tensors;

pub use config::{dropouts, model_type, spec};
pub use family::{Family, families, family, names};
pub use fit::{Fit, compile};
pub use search::{Found, Nearest, search};
pub use shards::{Dtype, write};
pub use tensors::Tensors;

#[cfg(test)]
mod tests;
