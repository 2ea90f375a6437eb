//! From a model to what people and tools read of it. Each print has a view, plain data that serialises with a
//! `format_version`; the text is written from the view.

pub mod cost;
pub mod fold;
pub mod groups;
pub mod ir;
pub mod migration;
pub mod number;
pub mod op;
pub mod params;
pub mod paths;
pub mod resolved;
pub mod roles;
pub mod schedule;
pub mod table;

pub use cost::cost;
pub use groups::groups;
pub use ir::ir;
pub use params::params;
pub use resolved::resolved;
pub use roles::roles;
pub use schedule::schedule;

/// The version of every view's layout; raised when a field changes its meaning or goes.
pub const FORMAT_VERSION: u32 = 1;
