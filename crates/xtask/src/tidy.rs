//! The checkout to a list of what is untidy in it: what neither the compiler nor clippy can see.

mod edges;
mod names;
mod purity;
mod snapshots;
mod sources;

use anyhow::Result;
use std::process::ExitCode;

/// Prints what is untidy; the exit code is 1 if anything is.
pub fn run() -> Result<ExitCode> {
    let findings = findings()?;
    for finding in &findings {
        println!("{finding}");
    }
    println!(
        "{}",
        if findings.is_empty() { "tidy".to_owned() } else { format!("{} findings", findings.len()) }
    );
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Each is `place: what, and what to do`.
fn findings() -> Result<Vec<String>> {
    Ok([
        edges::findings()?,
        names::findings()?,
        sources::findings()?,
        purity::findings()?,
        snapshots::findings()?,
    ]
    .concat())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checkout_is_tidy() {
        assert_eq!(super::findings().unwrap(), Vec::<String>::new());
    }
}
