//! The folders of runs in, the text of a page out.

mod curves;
mod run;

use anyhow::Context as _;
use run::Run;
use serde::Serialize;
use std::path::PathBuf;

const TEMPLATE: &str = include_str!("../../../templates/report.html.tera");

/// How every page begins.
pub const OPENING: &str = "<!DOCTYPE html>\n<!-- svc report -->\n";

/// What the template shows.
#[derive(Debug, Serialize)]
struct Page<'a> {
    title: String,
    runs: &'a [Run],
    /// Pictures, as SVG.
    curves: Vec<String>,
}

/// The page of these runs.
pub fn page(folders: &[PathBuf]) -> anyhow::Result<String> {
    let mut runs = Vec::new();
    for (index, folder) in folders.iter().enumerate() {
        runs.push(Run::read(folder, index)?);
    }
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let page = Page { title: names.join(", "), runs: &runs, curves: curves::curves(&runs) };
    let context = tera::Context::from_serialize(&page).context("a page is plain data")?;
    let text = tera::Tera::one_off(TEMPLATE, &context, true).context("the template of reports")?;
    Ok(format!("{OPENING}{text}"))
}
