//! Samples in; mean, standard error, a confidence interval and p-values out, all by Student's t.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Of a few independent runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The standard error of the mean, from the sample's own deviation; `None` for a single run, which has none.
    pub standard_error: Option<f64>,
    /// Half the width of the 95 % interval; `None` for a single run.
    pub half_interval: Option<f64>,
}

/// The estimate of a sample; `None` of an empty one.
pub fn estimate(sample: &[f64]) -> Option<Estimate> {
    if sample.is_empty() {
        return None;
    }
    let num = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / num;
    let standard_error = student(sample).map(|_| {
        let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (num - 1.0);
        (variance / num).sqrt()
    });
    let quantile = student(sample).map(|student| student.inverse_cdf(0.975));
    let half_interval = standard_error.zip(quantile).map(|(error, quantile)| error * quantile);
    Some(Estimate { mean, standard_error, half_interval })
}

/// The probability of a mean at least as far from 0, to either side, if the sample came from a normal distribution around 0;
/// `None` for fewer than two values.
pub fn p_value(sample: &[f64]) -> Option<f64> {
    let Estimate { mean, standard_error, .. } = estimate(sample)?;
    let t = mean / standard_error?;
    // Values that are all 0 are no evidence of a difference; values that are all the same other number are.
    Some(if t.is_nan() { 1.0 } else { 2.0 * student(sample)?.cdf(-t.abs()) })
}

/// Student's distribution for a sample's mean; `None` for fewer than two values.
fn student(sample: &[f64]) -> Option<StudentsT> {
    let freedom = sample.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    StudentsT::new(0.0, 1.0, freedom as f64).ok()
}

/// Holm's correction for testing several at once (Holm 1979): each p-value as if it were the only one, in their order.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut by_size: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    by_size.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut least = 0.0_f64;
    let mut adjusted = vec![1.0; p_values.len()];
    for (rank, (index, p_value)) in by_size.into_iter().enumerate() {
        least = least.max(p_value * (p_values.len() - rank) as f64).min(1.0);
        if let Some(adjusted) = adjusted.get_mut(index) {
            *adjusted = least;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three_runs() {
        let of = estimate(&[1.0, 2.0, 3.0]).unwrap();
        assert!((of.mean - 2.0).abs() < 1e-12);
        assert!((of.standard_error.unwrap() - 1.0 / 3f64.sqrt()).abs() < 1e-12);
        // The quantile of any table: 4.303 at two degrees of freedom.
        assert!((of.half_interval.unwrap() - 4.302_652_729_749_462 / 3f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_single_run_has_no_error() {
        assert_eq!(estimate(&[1.5]), Some(Estimate { mean: 1.5, standard_error: None, half_interval: None }));
        assert_eq!(estimate(&[]), None);
        assert_eq!(p_value(&[1.5]), None);
    }

    #[test]
    fn p_values_are_those_of_scipy() {
        // scipy.stats.ttest_1samp([0.1, 0.3, 0.2, 0.25, -0.05], 0).pvalue
        assert!((p_value(&[0.1, 0.3, 0.2, 0.25, -0.05]).unwrap() - 0.061_415_973_525_170_475).abs() < 1e-9);
        assert_eq!(p_value(&[0.0, 0.0]), Some(1.0));
        assert_eq!(p_value(&[0.5, 0.5]), Some(0.0));
    }

    #[test]
    fn several_tests_are_corrected_for() {
        // The least of three counts three times, the next twice; none becomes less than one before it.
        let adjusted = holm(&[0.04, 0.01, 0.03]);
        for (found, expected) in adjusted.iter().zip([0.06, 0.03, 0.06]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
