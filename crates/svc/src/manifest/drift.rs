//! How one file of a folder differs from what was generated.

use std::fmt;

/// One difference, and whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// The file is not there.
    Missing,
    /// The file is as it was written, and the spec has changed since.
    Outdated,
    /// The file was edited by hand since it was written.
    Edited,
    /// A file that was not written by the generator is in the way.
    Foreign,
    /// The file is as it was written, and is no longer generated.
    Stale,
    /// The file was edited by hand, and is no longer generated. It is left alone and forgotten.
    StaleEdited,
}

impl Drift {
    /// Whether writing would destroy somebody's work.
    pub fn needs_consent(self) -> bool {
        match self {
            Self::Edited | Self::Foreign => true,
            Self::Missing | Self::Outdated | Self::Stale | Self::StaleEdited => false,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Outdated => "outdated",
            Self::Edited => "edited by hand",
            Self::Foreign => "not written by svc",
            Self::Stale => "no longer generated",
            Self::StaleEdited => "no longer generated, edited by hand",
        })
    }
}
