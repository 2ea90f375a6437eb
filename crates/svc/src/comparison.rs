//! Two targets in; what changed in meaning, and the diff of the code generated from them, out.

use crate::generate::{self, Target};
use crate::spec::Spec;
use crate::terminal;
use serde::Serialize;
use svspec_codegen::SpecSource;
use svspec_diagnostics::Color;
use svspec_ir::diff::Diff;

/// One target of one spec, before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The old spec and target, as messages show them.
    old: String,
    /// The new one.
    new: String,
    /// What changed.
    #[serde(flatten)]
    change: Change,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
enum Change {
    /// Both are there.
    Both {
        /// The change of meaning.
        diff: Box<Diff>,
        /// By file, the unified diff of the generated code.
        code: Vec<Code>,
    },
    /// Only the new one is there.
    Came,
    /// Only the old one is there.
    Went,
}

#[derive(Clone, Debug, Serialize)]
struct Code {
    path: String,
    diff: String,
}

/// Compares a target of `old` with one of `new`.
pub fn compare(old: (&Spec, &str), new: (&Spec, &str), target: &Target) -> anyhow::Result<Comparison> {
    // One source for both: headers and hashes are no difference.
    let source = SpecSource { file_name: new.0.file_name(), text: new.0.text.clone() };
    let [before, after] =
        [old, new].map(|(spec, name)| generate::generate_as(spec, &target.named(name), source.clone()));
    let (before, after) = (before?, after?);
    let diff = svspec_ir::diff::diff(&before.checked, &after.checked);
    let mut code = Vec::new();
    if !diff.is_empty() {
        let paths: std::collections::BTreeSet<&String> =
            before.files.keys().chain(after.files.keys()).collect();
        for path in
            paths.into_iter().filter(|path| path.starts_with("src/") && path.as_str() != "src/main.rs")
        {
            let text = |files: &std::collections::BTreeMap<String, String>| {
                files.get(path).map_or_else(String::new, Clone::clone)
            };
            let names = [format!("{}/{path}", before.name), format!("{}/{path}", after.name)];
            let [old_name, new_name] = &names;
            let diff = terminal::unified_diff(old_name, &text(&before.files), new_name, &text(&after.files));
            if !diff.is_empty() {
                code.push(Code { path: path.clone(), diff });
            }
        }
    }
    let name = |(spec, target): (&Spec, &str)| format!("{}:{target}", spec.shown);
    Ok(Comparison { old: name(old), new: name(new), change: Change::Both { diff: Box::new(diff), code } })
}

/// Compares every target that either file has of its own.
pub fn compare_all(old: &Spec, new: &Spec, target: &Target) -> anyhow::Result<Vec<Comparison>> {
    let (before, after) = (old.program.targets(), new.program.targets());
    let mut comparisons = Vec::new();
    for name in &after {
        if before.contains(name) {
            comparisons.push(compare((old, name), (new, name), target)?);
        } else {
            comparisons.push(Comparison {
                old: old.shown.clone(),
                new: format!("{}:{name}", new.shown),
                change: Change::Came,
            });
        }
    }
    for name in before.iter().filter(|name| !after.contains(name)) {
        comparisons.push(Comparison {
            old: format!("{}:{name}", old.shown),
            new: new.shown.clone(),
            change: Change::Went,
        });
    }
    Ok(comparisons)
}

/// A file that the revision did not have yet, `old` as messages show it: each target, or the one asked for, is new.
pub fn all_new(old: &str, new: &Spec, target: Option<&str>) -> anyhow::Result<Vec<Comparison>> {
    let names = match target {
        Some(name) => vec![new.target(Some(name))?],
        None => new.targets()?,
    };
    let came =
        |name| Comparison { old: old.to_owned(), new: format!("{}:{name}", new.shown), change: Change::Came };
    Ok(names.into_iter().map(came).collect())
}

/// A file that is there no more, `new` as messages show it: each target that it had, or the one asked for, is gone.
pub fn all_gone(old: &Spec, new: &str, target: Option<&str>) -> anyhow::Result<Vec<Comparison>> {
    let names = match target {
        Some(name) => vec![old.target(Some(name))?],
        None => old.targets()?,
    };
    let went =
        |name| Comparison { old: format!("{}:{name}", old.shown), new: new.to_owned(), change: Change::Went };
    Ok(names.into_iter().map(went).collect())
}

impl Comparison {
    /// Whether both mean the same.
    pub fn is_same(&self) -> bool {
        match &self.change {
            Change::Both { diff, .. } => diff.is_empty(),
            Change::Came | Change::Went => false,
        }
    }

    /// For a terminal: nothing where nothing changed.
    pub fn text(&self, color: Color) -> String {
        match &self.change {
            Change::Both { diff, .. } if diff.is_empty() => String::new(),
            Change::Both { diff, code } => {
                let mut text = format!("{} -> {}\n{}\n", self.old, self.new, diff.text().trim_end());
                if !code.is_empty() {
                    text.push_str("\ngenerated code\n");
                }
                for code in code {
                    text.push_str(&terminal::paint_diff(&code.diff, color));
                }
                text + "\n"
            }
            Change::Came => format!("{} is new: {} has no such target\n\n", self.new, self.old),
            Change::Went => format!("{} is gone: {} has no such target\n\n", self.old, self.new),
        }
    }

    /// For a review comment: the generated code folded away.
    pub fn markdown(&self) -> String {
        match &self.change {
            Change::Both { diff, .. } if diff.is_empty() => String::new(),
            Change::Both { diff, code } => {
                let mut text = format!("{}\n", diff.markdown().trim_end());
                if !code.is_empty() {
                    text.push_str("\n<details><summary>Generated code</summary>\n\n```diff\n");
                    text.extend(code.iter().map(|code| code.diff.as_str()));
                    text.push_str("```\n\n</details>\n");
                }
                text + "\n"
            }
            Change::Came => format!("`{}` is new.\n\n", self.new),
            Change::Went => format!("`{}` is gone.\n\n", self.old),
        }
    }
}
