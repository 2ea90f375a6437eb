//! Models and runs in, SVG text out: the pictures that `svc show`, `svc train` and `svc ablate` leave behind.
//! Same input, same bytes; every picture brings its own background, so that it reads in a light and in a dark page.

mod ablation;
pub mod axis;
mod graph;
mod lines;
mod loss_curve;
mod palette;
mod plane;
mod schedule;
mod svg;

pub use ablation::{AblationDifference, AblationRow, Verdict, ablation};
pub use graph::graph;
pub use lines::{Line, lines};
pub use loss_curve::{Series, loss_curve};
pub use palette::run as run_colour;
pub use schedule::schedule;
