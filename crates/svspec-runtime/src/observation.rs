//! What is observed of a run on request. None of it changes the run.

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation {
    /// Whether the sharpness is measured at each validation; see [`crate::sharpness`].
    pub sharpness: bool,
    /// The floating-point operations a second of one device at its best, of which a run's are a share: its model FLOPs utilization (MFU,
    /// arXiv 2204.02311).
    pub peak_flops: Option<f64>,
}

impl Observation {
    /// The MFU of so many processes that together do so many operations a second.
    pub fn mfu(self, flops_per_second: f64, num_processes: usize) -> Option<f64> {
        self.peak_flops.map(|peak| flops_per_second / (peak * num_processes as f64))
    }
}
