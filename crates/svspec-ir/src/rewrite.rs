//! Optimisation: a model in, a model that computes the same function and the same gradients at less cost out.
//!
//! A rewrite never touches parameters or scale vectors: their names, number and meaning stay. Each is its own file and
//! can be switched off.

mod fuse_projections;
mod move_scale_to_weights;
mod region;
mod share_normalize;

use crate::{Model, RegionId};
use serde::Serialize;
use std::collections::BTreeSet;
use std::str::FromStr;

/// A rewrite, in the order they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rewrite {
    /// Computes a normalisation of the same value once.
    ShareNormalize,
    /// Multiplies a scale vector into weights once per micro-batch instead of into every token's activations, where
    /// that is less to read and write.
    MoveScaleToWeights,
    /// One matrix product for all linear maps of the same value.
    FuseProjections,
}

impl Rewrite {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::ShareNormalize, Self::MoveScaleToWeights, Self::FuseProjections];

    /// The name on the command line and in prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::ShareNormalize => "share_normalize",
            Self::MoveScaleToWeights => "move_scale_to_weights",
            Self::FuseProjections => "fuse_projections",
        }
    }

    /// Applies it to one region; one line for each application.
    fn apply(self, model: &mut Model, region: RegionId) -> Vec<String> {
        match self {
            Self::ShareNormalize => share_normalize::apply(model, region),
            Self::MoveScaleToWeights => move_scale_to_weights::apply(model, region),
            Self::FuseProjections => fuse_projections::apply(model, region),
        }
    }
}

/// A name that no rewrite has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no rewrite is called `{0}`: there are `share_normalize`, `move_scale_to_weights` and `fuse_projections`"
)]
pub struct UnknownRewrite(pub String);

impl FromStr for Rewrite {
    type Err = UnknownRewrite;

    fn from_str(name: &str) -> Result<Self, UnknownRewrite> {
        let found = Self::ALL.into_iter().find(|rewrite| rewrite.name() == name);
        found.ok_or_else(|| UnknownRewrite(name.to_owned()))
    }
}

/// Which rewrites to apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rewrites(BTreeSet<Rewrite>);

impl Default for Rewrites {
    /// All of them.
    fn default() -> Self {
        Self(Rewrite::ALL.into_iter().collect())
    }
}

impl Rewrites {
    /// None of them.
    pub fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// These and `rewrite`.
    #[must_use]
    pub fn with(mut self, rewrite: Rewrite) -> Self {
        self.0.insert(rewrite);
        self
    }

    /// These but not `rewrite`.
    #[must_use]
    pub fn without(mut self, rewrite: Rewrite) -> Self {
        self.0.remove(&rewrite);
        self
    }

    /// In the order they are applied.
    pub fn iter(&self) -> impl Iterator<Item = Rewrite> + '_ {
        self.0.iter().copied()
    }
}

/// One application of a rewrite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Which.
    pub rewrite: Rewrite,
    /// Where.
    pub region: RegionId,
    /// To what, in words.
    pub what: String,
}

/// Applies `rewrites`, in order, to every region.
pub fn optimise(model: &Model, rewrites: &Rewrites) -> (Model, Vec<Applied>) {
    let mut model = model.clone();
    let mut applied = Vec::new();
    for rewrite in rewrites.iter() {
        for region in (0..model.regions.len()).map(RegionId) {
            let lines = rewrite.apply(&mut model, region);
            applied.extend(lines.into_iter().map(|what| Applied { rewrite, region, what }));
        }
    }
    (model, applied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for rewrite in Rewrite::ALL {
            assert_eq!(rewrite.name().parse(), Ok(rewrite));
        }
        let fault = "fuse".parse::<Rewrite>().unwrap_err().to_string();
        assert!(fault.starts_with("no rewrite is called `fuse`"), "{fault}");
    }

    #[test]
    fn rewrites_are_switched_one_by_one() {
        let without = Rewrites::default().without(Rewrite::MoveScaleToWeights);
        assert_eq!(without.iter().collect::<Vec<_>>(), [Rewrite::ShareNormalize, Rewrite::FuseProjections]);
        assert_eq!(Rewrites::none().with(Rewrite::FuseProjections).iter().count(), 1);
    }
}
