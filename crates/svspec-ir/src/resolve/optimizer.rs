//! The `optimizer` blocks that reach a target in; AdamW's settings and the ordered rules out.

use super::number::Scope;
use super::resolved::Part;
use super::{draft::duplicate, list, path::single, rule, setting};
use crate::AdamW;
use crate::lower::part::Range;
use crate::program::Program;
use crate::rule::ResolvedRule;
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, OptimizerBlock, StatementKind};

const SETTINGS: [&str; 3] = ["lr", "betas", "eps"];
const RULES: &str =
    "rules: `decay 0.1 on weight`, `lr 2 on scale`, `init zeros on attn.o`, `clip off on scale`";

/// Settings and rules: those of the file (a block that names an algorithm replaces imported ones), then the variants'.
pub fn optimizer(scope: &mut Scope<'_>, program: &Program, parts: &[Part]) -> (AdamW, Vec<ResolvedRule>) {
    let mut optimizer = AdamW { lr: 1e-3, betas: (0.9, 0.95), eps: 1e-8 };
    let mut rules = Vec::new();
    let draft = scope.draft;
    for (_, block) in &draft.optimizers {
        algorithm(scope, block);
    }
    // The blocks of one file are one, and so are those of one variant: none of them replaces what another says.
    let mut seen = BTreeMap::new();
    let mut owner = None;
    let of_files = file_blocks(scope, program).into_iter().map(|block| (None, block));
    let of_variants = draft.optimizers.iter().map(|(index, block)| (Some(*index), *block));
    for (index, block) in of_files.chain(of_variants) {
        let next = (index, block.body.span.source);
        if owner.replace(next) != Some(next) {
            seen.clear();
        }
        read(scope, parts, block, &mut optimizer, &mut rules, &mut seen);
    }
    (optimizer, rules)
}

/// The blocks outside variants that hold: from the last one that names an algorithm on.
fn file_blocks<'a>(scope: &mut Scope<'_>, program: &'a Program) -> Vec<&'a OptimizerBlock> {
    let mut blocks: Vec<&OptimizerBlock> = Vec::new();
    let mut named = None;
    for (source, block) in program.optimizers() {
        algorithm(scope, block);
        if let Some(algorithm) = &block.algorithm {
            match named {
                Some((first_source, first)) if first_source == source => {
                    scope.findings.push(duplicate("optimizer", &algorithm.text, algorithm.span, first));
                }
                Some(_) | None => {}
            }
            named = Some((source, algorithm.span));
            blocks.clear();
        }
        blocks.push(block);
    }
    blocks
}

/// There is one algorithm.
fn algorithm(scope: &mut Scope<'_>, block: &OptimizerBlock) {
    if let Some(algorithm) = &block.algorithm
        && algorithm.text != "adamw"
    {
        let message = format!("there is no optimizer called `{}`", algorithm.text);
        scope.findings.push(
            Diagnostic::error("unknown-value", message)
                .at(algorithm.span, "unknown")
                .help("write `optimizer adamw { … }`"),
        );
    }
}

fn read(
    scope: &mut Scope<'_>,
    parts: &[Part],
    block: &OptimizerBlock,
    optimizer: &mut AdamW,
    rules: &mut Vec<ResolvedRule>,
    seen: &mut BTreeMap<String, Span>,
) {
    for statement in &block.body.statements {
        match &statement.kind {
            StatementKind::Rule(written) => rules.extend(rule::rule(scope, parts, written, statement.span)),
            StatementKind::Setting { path, value } => {
                let Some((name, span)) = single(path) else { continue };
                if let Some(first) = seen.insert(name.clone(), span) {
                    scope.findings.push(duplicate("setting", &name, span, first));
                }
                match name.as_str() {
                    "lr" => {
                        let lr = setting::real(scope, "lr", value, Range::NotNegative);
                        optimizer.lr = lr.unwrap_or(optimizer.lr);
                    }
                    "eps" => {
                        let eps = setting::real(scope, "eps", value, Range::Positive);
                        optimizer.eps = eps.unwrap_or(optimizer.eps);
                    }
                    "betas" => optimizer.betas = betas(scope, value).unwrap_or(optimizer.betas),
                    _ => {
                        let message = format!("the optimizer has no setting called `{name}`");
                        let mut finding = Diagnostic::error("unknown-setting", message).at(span, "unknown");
                        if let Some(close) = did_you_mean(&name, SETTINGS) {
                            finding = finding.help(format!("did you mean `{close}`?"));
                        }
                        scope.findings.push(finding.help(format!("settings: {}; {RULES}", list(&SETTINGS))));
                    }
                }
            }
            StatementKind::Block { .. }
            | StatementKind::Part { .. }
            | StatementKind::Layer { .. }
            | StatementKind::Tensors { .. }
            | StatementKind::Placement { .. }
            | StatementKind::Optimizer(_)
            | StatementKind::Train(_) => scope.findings.push(
                Diagnostic::error(
                    "misplaced-statement",
                    "only settings and rules stand in an `optimizer` block",
                )
                .at(statement.span, "neither")
                .help(format!("settings: {}; {RULES}", list(&SETTINGS))),
            ),
        }
    }
}

fn betas(scope: &mut Scope<'_>, expr: &Expr) -> Option<(f64, f64)> {
    if let ExprKind::Tuple(items) = &expr.kind
        && let [first, second] = items.as_slice()
    {
        let first = setting::real(scope, "betas", first, Range::BelowOne);
        let second = setting::real(scope, "betas", second, Range::BelowOne);
        return Some((first?, second?));
    }
    let message = format!("`betas` is two numbers, not `{}`", scope.quote(expr.span));
    scope.findings.push(
        Diagnostic::error("unknown-value", message)
            .at(expr.span, "not two numbers")
            .help("write `betas = (0.9, 0.95)`"),
    );
    None
}
