//! The machine to one line: processor, cores, memory.

/// `Intel Xeon …, 2 cores, 24 GiB, linux`; what cannot be read is left out.
pub fn name() -> String {
    let field = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let value =
            text.lines().find_map(|line| line.strip_prefix(key)?.split_once(':'))?.1.trim().to_owned();
        Some(value)
    };
    let cores = std::thread::available_parallelism().ok().map(|count| format!("{count} cores"));
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| {
        let kib: f64 = text.strip_suffix(" kB")?.trim().parse().ok()?;
        Some(format!("{:.0} GiB", kib / (1024.0 * 1024.0)))
    });
    let parts = [field("/proc/cpuinfo", "model name"), cores, memory, Some(std::env::consts::OS.to_owned())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
