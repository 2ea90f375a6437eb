//! Learning rates tried with their losses in; which to try next, or the best, out.

use serde::Serialize;

/// How often a search goes beyond its grid.
const MOST_EXTENSIONS: usize = 4;

/// A factor on a variant's learning rates, tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The factor.
    pub lr_scale: f64,
    /// The terminal validation loss; `None` if it diverged.
    pub loss: Option<f64>,
}

/// What to do after some trials.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Try these factors.
    Try(Vec<f64>),
    /// It is done.
    Settled(Best),
}

/// The best factor found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Best {
    /// The factor.
    pub lr_scale: f64,
    /// Whether a smaller one and a larger one were tried too, and were worse.
    pub bracketed: bool,
}

/// First the whole grid; then, while the best lies at an end of what was tried, one more beyond that end.
pub fn next(grid: &[f64], trials: &[Trial]) -> Next {
    let tried = |lr_scale: f64| trials.iter().any(|trial| trial.lr_scale.total_cmp(&lr_scale).is_eq());
    let missing: Vec<f64> = grid.iter().copied().filter(|lr_scale| !tried(*lr_scale)).collect();
    if !missing.is_empty() {
        return Next::Try(missing);
    }
    let mut trials = trials.to_vec();
    trials.sort_by(|a, b| a.lr_scale.total_cmp(&b.lr_scale));
    let loss = |trial: &Trial| trial.loss.filter(|loss| loss.is_finite()).unwrap_or(f64::INFINITY);
    // Of equals the first is taken: where all diverge, the smallest.
    let best = trials.iter().enumerate().min_by(|(_, a), (_, b)| loss(a).total_cmp(&loss(b)));
    let Some((index, best)) = best else { return Next::Settled(Best { lr_scale: 1.0, bracketed: false }) };
    let at = |index: Option<usize>| index.and_then(|index| trials.get(index)).map(|trial| trial.lr_scale);
    let inner = match (at(index.checked_sub(1)), at(Some(index + 1))) {
        (None, Some(inner)) | (Some(inner), None) => Some(inner),
        (Some(_), Some(_)) | (None, None) => None,
    };
    match inner {
        Some(inner) if trials.len() < grid.len() + MOST_EXTENSIONS => {
            Next::Try(vec![best.lr_scale * best.lr_scale / inner])
        }
        _ => Next::Settled(Best { lr_scale: best.lr_scale, bracketed: inner.is_none() && trials.len() > 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries what is asked for until it is settled; how many trials that took, too.
    fn search(grid: &[f64], loss: impl Fn(f64) -> Option<f64>) -> (Best, usize) {
        let mut trials: Vec<Trial> = Vec::new();
        loop {
            match next(grid, &trials) {
                Next::Settled(best) => return (best, trials.len()),
                Next::Try(scales) => {
                    assert!(!scales.is_empty());
                    trials.extend(scales.iter().map(|&lr_scale| Trial { lr_scale, loss: loss(lr_scale) }));
                }
            }
        }
    }

    /// Least at `best`, equally bad at half and twice that; diverges from `end` on.
    fn valley(best: f64, end: f64) -> impl Fn(f64) -> Option<f64> {
        move |lr_scale| (lr_scale < end).then(|| (lr_scale / best).ln().abs())
    }

    #[test]
    fn a_best_inside_the_grid_is_taken() {
        let found = search(&[0.5, 1.0, 2.0], valley(1.1, f64::INFINITY));
        assert_eq!(found, (Best { lr_scale: 1.0, bracketed: true }, 3));
    }

    #[test]
    fn a_best_at_an_end_is_followed_until_it_has_neighbours() {
        let found = search(&[0.5, 1.0, 2.0], valley(4.0, f64::INFINITY));
        assert_eq!(found, (Best { lr_scale: 4.0, bracketed: true }, 5));
        let found = search(&[0.5, 1.0, 2.0], valley(0.25, f64::INFINITY));
        assert_eq!(found, (Best { lr_scale: 0.25, bracketed: true }, 5));
    }

    #[test]
    fn a_rate_that_diverges_is_worse_than_any() {
        assert_eq!(search(&[1.0, 2.0, 4.0], valley(8.0, 3.0)), (Best { lr_scale: 2.0, bracketed: true }, 3));
        // Nothing converges: the search gives up, and says that it has found no end.
        let (best, num) = search(&[1.0, 2.0], |_| None);
        assert_eq!((best, num), (Best { lr_scale: 0.0625, bracketed: false }, 6));
    }

    #[test]
    fn a_search_without_end_says_so() {
        let (best, num) = search(&[1.0, 2.0], |lr_scale| Some(-lr_scale));
        assert_eq!((best, num), (Best { lr_scale: 32.0, bracketed: false }, 6));
    }
}
