//! Samples in; mean, standard error and a confidence interval out.

use serde::Serialize;

/// Of a few independent runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The standard error of the mean, from the sample's own deviation; `None` for a single run, which has none.
    pub standard_error: Option<f64>,
    /// Half the width of the 95 % interval, by Student's t; `None` for a single run.
    pub half_interval: Option<f64>,
}

/// The estimate of a sample; `None` of an empty one.
pub fn estimate(sample: &[f64]) -> Option<Estimate> {
    if sample.is_empty() {
        return None;
    }
    let num = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / num;
    if sample.len() == 1 {
        return Some(Estimate { mean, standard_error: None, half_interval: None });
    }
    let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (num - 1.0);
    let error = (variance / num).sqrt();
    Some(Estimate {
        mean,
        standard_error: Some(error),
        half_interval: Some(error * student(sample.len() - 1)),
    })
}

/// The 97.5 % quantile of Student's t with `freedom` degrees; between entries of the table the one before, which is
/// wider.
fn student(freedom: usize) -> f64 {
    const QUANTILES: [(usize, f64); 15] = [
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (4, 2.776),
        (5, 2.571),
        (6, 2.447),
        (7, 2.365),
        (8, 2.306),
        (9, 2.262),
        (10, 2.228),
        (15, 2.131),
        (20, 2.086),
        (30, 2.042),
        (60, 2.000),
        (120, 1.980),
    ];
    let before = QUANTILES.iter().rev().find(|(degrees, _)| *degrees <= freedom);
    before.map_or(f64::INFINITY, |(_, quantile)| *quantile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three_runs() {
        let of = estimate(&[1.0, 2.0, 3.0]).unwrap();
        assert!((of.mean - 2.0).abs() < 1e-12);
        assert!((of.standard_error.unwrap() - 1.0 / 3f64.sqrt()).abs() < 1e-12);
        assert!((of.half_interval.unwrap() - 4.303 / 3f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_single_run_has_no_error() {
        assert_eq!(estimate(&[1.5]), Some(Estimate { mean: 1.5, standard_error: None, half_interval: None }));
        assert_eq!(estimate(&[]), None);
    }

    #[test]
    fn the_interval_is_never_too_narrow() {
        assert!((student(12) - 2.228).abs() < 1e-12);
        assert!((student(1000) - 1.980).abs() < 1e-12);
    }
}
