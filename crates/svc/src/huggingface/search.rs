//! A checked model and families in; the first that it is of, or the one that it comes nearest to and the first difference
//! from it, out.

use super::fit::{Fit, Misfit, fit};
use super::{Family, families};
use svspec_ir::CheckedModel;
use svspec_ir::correspondence::Difference;
use svspec_ir::fold::{Outcome, plan};

/// What came of it.
#[derive(Debug)]
pub enum Found {
    /// The model is of this family.
    Fits(Box<Family>, Box<Fit>),
    /// It is of none.
    None(Nearest),
}

/// The family that a model comes nearest to.
#[derive(Clone, Debug)]
pub struct Nearest {
    /// Its name.
    pub family: String,
    /// The first difference from it, line by line.
    pub difference: Vec<String>,
    /// The other families that were tried.
    pub others: Vec<String>,
}

impl Nearest {
    /// The difference for people, after what is said of the family.
    pub fn text(&self, said: &str) -> String {
        let mut lines = self.difference.iter();
        let mut text = format!("{said} {}: {}\n", self.family, lines.next().map_or("", String::as_str));
        text.extend(lines.map(|line| format!("  {line}\n")));
        text
    }
}

/// Tries `only` this family, or all.
pub fn search(checked: &CheckedModel, only: Option<Family>) -> anyhow::Result<Found> {
    let families = match only {
        Some(family) => vec![family],
        None => families()?,
    };
    let mut nearest: Option<(String, Misfit)> = None;
    let mut names: Vec<String> = families.iter().map(|family| family.model_type.clone()).collect();
    for family in families {
        match fit(checked, &family)? {
            Ok(fit) => return Ok(Found::Fits(Box::new(family), Box::new(fit))),
            Err(misfit) => {
                if nearest.as_ref().is_none_or(|(_, known)| misfit.num_met() > known.num_met()) {
                    nearest = Some((family.model_type, misfit));
                }
            }
        }
    }
    let (family, difference) = match nearest {
        Some((family, misfit)) => (family, lines(checked, &misfit)),
        None => (String::new(), Vec::new()),
    };
    names.retain(|name| *name != family);
    names.sort();
    Ok(Found::None(Nearest { family, difference, others: names }))
}

/// The difference, and what would let a vector fold that stands in the way.
fn lines(checked: &CheckedModel, misfit: &Misfit) -> Vec<String> {
    let Misfit::Differs(mismatch) = misfit else { return vec![misfit.words()] };
    let Difference::Unfoldable { path, why, reason } = &mismatch.difference else {
        return vec![misfit.words()];
    };
    let planned = plan(checked)
        .into_iter()
        .find(|planned| checked.model().scales.get(planned.scale.0).is_some_and(|scale| scale.path == *path));
    let cures = match planned.map(|planned| planned.outcome) {
        Some(Outcome::Stays { cures, .. }) => cures,
        Some(Outcome::Folds(_)) | None => Vec::new(),
    };
    std::iter::once(format!("`{path}` {why} and does not fold:"))
        .chain(reason.split("; ").map(str::to_owned))
        .chain(cures.iter().map(|cure| format!("{}, it would fold {}", cure.change, cure.folds)))
        .collect()
}
