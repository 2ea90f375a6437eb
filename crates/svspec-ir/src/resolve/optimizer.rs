//! The `optimizer` blocks that reach a target in; the optimizer's settings and the ordered rules out.

use super::number::Scope;
use super::resolved::Part;
use super::{draft::duplicate, list, path::single, rule, setting};
use crate::Optimizer;
use crate::lower::part::Range;
use crate::optimizer::{Muon, MuonScale, Sgd};
use crate::program::Program;
use crate::rule::{ResolvedRule, Use, Verb};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Body, Expr, ExprKind, OptimizerBlock, Statement, StatementKind};

const SETTINGS: [&str; 11] = [
    "lr",
    "betas",
    "eps",
    "muon.lr",
    "muon.momentum",
    "muon.nesterov",
    "muon.ns_steps",
    "muon.scale",
    "sgd.lr",
    "sgd.momentum",
    "sgd.nesterov",
];
const RULES: &str = "rules: `decay 0.1 on weight`, `lr 2 on scale`, `init zeros on attn.o`, `clip off on scale`, `use muon on attn`";
/// More iterations change nothing.
const MOST_NS_STEPS: f64 = 20.0;

/// Settings and rules: those of the file (a block that names an algorithm replaces imported ones), then the variants'.
pub fn optimizer(scope: &mut Scope<'_>, program: &Program, parts: &[Part]) -> (Optimizer, Vec<ResolvedRule>) {
    let mut optimizer = Optimizer::default();
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
        read(scope, parts, &block.body, &mut optimizer, &mut rules, &mut seen);
    }
    // A variant may turn all that a base gave to Muon back.
    let uses = |wanted: fn(Use) -> bool| {
        rules.iter().any(|rule| matches!(rule.verb, Verb::Use(chosen) if wanted(chosen)))
    };
    if uses(|chosen| matches!(chosen, Use::Muon(_))) {
        optimizer.muon.get_or_insert_default();
    }
    if uses(|chosen| chosen == Use::Sgd) {
        optimizer.sgd.get_or_insert_default();
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

/// A block is named after what steps the tensors that no rule says otherwise of.
fn algorithm(scope: &mut Scope<'_>, block: &OptimizerBlock) {
    if let Some(algorithm) = &block.algorithm
        && algorithm.text != "adamw"
    {
        let message = format!("there is no optimizer block called `{}`", algorithm.text);
        let rule = match algorithm.text.as_str() {
            "muon" => ", and in it the rule `use muon on weight`",
            "sgd" => ", and in it the rule `use sgd on all`",
            _ => "",
        };
        scope.findings.push(
            Diagnostic::error("unknown-value", message)
                .at(algorithm.span, "unknown")
                .help(format!("write `optimizer adamw {{ … }}`{rule}")),
        );
    }
}

fn read(
    scope: &mut Scope<'_>,
    parts: &[Part],
    body: &Body,
    optimizer: &mut Optimizer,
    rules: &mut Vec<ResolvedRule>,
    seen: &mut BTreeMap<String, Span>,
) {
    for statement in &body.statements {
        match &statement.kind {
            StatementKind::Rule(written) => rules.extend(rule::rule(scope, parts, written, statement.span)),
            StatementKind::Setting { path, value } => {
                let Some((name, span)) = single(path) else { continue };
                setting(scope, &name, span, value, optimizer, seen);
            }
            StatementKind::Block { name, body: Some(body) }
                if ["muon", "sgd"].contains(&name.text.as_str()) =>
            {
                for statement in &body.statements {
                    let StatementKind::Setting { path, value } = &statement.kind else {
                        misplaced(
                            scope,
                            statement,
                            &format!("only settings stand in `{}`", name.text),
                            "not a setting",
                        );
                        continue;
                    };
                    let Some((setting_name, span)) = single(path) else { continue };
                    setting(scope, &format!("{}.{setting_name}", name.text), span, value, optimizer, seen);
                }
            }
            StatementKind::Block { .. }
            | StatementKind::Part { .. }
            | StatementKind::Layer { .. }
            | StatementKind::Tensors { .. }
            | StatementKind::Placement { .. }
            | StatementKind::Optimizer(_)
            | StatementKind::Train(_) => {
                misplaced(
                    scope,
                    statement,
                    "only settings and rules stand in an `optimizer` block",
                    "neither",
                );
            }
        }
    }
}

fn misplaced(scope: &mut Scope<'_>, statement: &Statement, message: &str, label: &str) {
    scope.findings.push(
        Diagnostic::error("misplaced-statement", message)
            .at(statement.span, label)
            .help(format!("settings: {}; {RULES}", list(&SETTINGS))),
    );
}

/// One setting, by its path from the block.
fn setting(
    scope: &mut Scope<'_>,
    name: &str,
    span: Span,
    value: &Expr,
    optimizer: &mut Optimizer,
    seen: &mut BTreeMap<String, Span>,
) {
    if let Some(first) = seen.insert(name.to_owned(), span) {
        scope.findings.push(duplicate("setting", name, span, first));
    }
    match name.split_once('.') {
        Some(("muon", own)) if SETTINGS.contains(&name) => {
            let muon = optimizer.muon.get_or_insert_default();
            of_muon(scope, own, value, muon);
        }
        Some(("sgd", own)) if SETTINGS.contains(&name) => {
            let sgd = optimizer.sgd.get_or_insert_default();
            of_sgd(scope, own, value, sgd);
        }
        Some(_) => unknown(scope, name, span),
        None => match name {
            "lr" => {
                let lr = setting::real(scope, "lr", value, Range::NotNegative);
                optimizer.lr = lr.unwrap_or(optimizer.lr);
            }
            "eps" => {
                let eps = setting::real(scope, "eps", value, Range::Positive);
                optimizer.eps = eps.unwrap_or(optimizer.eps);
            }
            "betas" => optimizer.betas = betas(scope, value).unwrap_or(optimizer.betas),
            _ => unknown(scope, name, span),
        },
    }
}

fn of_muon(scope: &mut Scope<'_>, name: &str, value: &Expr, muon: &mut Muon) {
    match name {
        "lr" => muon.lr = setting::real(scope, "muon.lr", value, Range::NotNegative),
        "momentum" => {
            let momentum = setting::real(scope, "muon.momentum", value, Range::BelowOne);
            muon.momentum = momentum.unwrap_or(muon.momentum);
        }
        "nesterov" => muon.nesterov = switch(scope, "muon.nesterov", value).unwrap_or(muon.nesterov),
        "ns_steps" => {
            let steps = setting::count(scope, "muon.ns_steps", value, MOST_NS_STEPS);
            muon.ns_steps = steps.map_or(muon.ns_steps, |steps| steps as u32);
        }
        _ => muon.scale = scale(scope, value).unwrap_or(muon.scale),
    }
}

fn of_sgd(scope: &mut Scope<'_>, name: &str, value: &Expr, sgd: &mut Sgd) {
    match name {
        "lr" => sgd.lr = setting::real(scope, "sgd.lr", value, Range::NotNegative),
        "momentum" => {
            let momentum = setting::real(scope, "sgd.momentum", value, Range::BelowOne);
            sgd.momentum = momentum.unwrap_or(sgd.momentum);
        }
        _ => sgd.nesterov = switch(scope, "sgd.nesterov", value).unwrap_or(sgd.nesterov),
    }
}

fn switch(scope: &mut Scope<'_>, what: &str, value: &Expr) -> Option<bool> {
    setting::word(scope, what, value, &["on", "off"]).map(|word| word == "on")
}

/// `rms(0.2)` or `sqrt_ratio`.
fn scale(scope: &mut Scope<'_>, expr: &Expr) -> Option<MuonScale> {
    if let ExprKind::Call { callee, arguments } = &expr.kind
        && single(callee).is_some_and(|(name, _)| name == "rms")
        && let [rms] = arguments.as_slice()
    {
        return setting::real(scope, "rms", rms, Range::Positive).map(MuonScale::Rms);
    }
    if setting::bare_word(expr).as_deref() == Some("sqrt_ratio") {
        return Some(MuonScale::SqrtRatio);
    }
    let message = format!("`muon.scale` is `rms(…)` or `sqrt_ratio`, not `{}`", scope.quote(expr.span));
    scope.findings.push(Diagnostic::error("unknown-value", message).at(expr.span, "unknown here").help(
        setting::without_quotes(expr, "scale =", &["sqrt_ratio"]).unwrap_or_else(|| {
            "write `scale = rms(0.2)`, the root mean square of an update, or `scale = sqrt_ratio`".to_owned()
        }),
    ));
    None
}

fn unknown(scope: &mut Scope<'_>, name: &str, span: Span) {
    let message = format!("the optimizer has no setting called `{name}`");
    let mut finding = Diagnostic::error("unknown-setting", message).at(span, "unknown");
    if let Some(close) = did_you_mean(name, SETTINGS) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    scope.findings.push(finding.help(format!("settings: {}; {RULES}", list(&SETTINGS))));
}

/// β1 and β2 as written.
pub fn betas(scope: &mut Scope<'_>, expr: &Expr) -> Option<(f64, f64)> {
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
            .help("write `(0.9, 0.95)`"),
    );
    None
}
