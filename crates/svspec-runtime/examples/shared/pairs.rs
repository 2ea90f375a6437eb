//! Two ways to the same, timed in turns.

/// Pairs before the first that counts: they touch memory for the first time.
const NUM_WARM: usize = 2;

/// The median, over so many pairs, of the seconds of `one` against those of `other`.
pub fn median_ratio<E>(
    num_pairs: usize,
    one: impl Fn() -> Result<f64, E>,
    other: impl Fn() -> Result<f64, E>,
) -> Result<f64, E> {
    let ratios: Result<Vec<f64>, E> = (0..NUM_WARM + num_pairs).map(|_| Ok(one()? / other()?)).collect();
    let mut ratios = ratios?;
    ratios.drain(..NUM_WARM);
    ratios.sort_by(f64::total_cmp);
    Ok(ratios.get(ratios.len() / 2).copied().unwrap_or_default())
}
