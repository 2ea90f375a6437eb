//! The `train` blocks that reach a target in; the training settings, in steps and sequences, out.

mod health;
mod length;
mod memory;
mod schedule;

use super::draft::duplicate;
use super::number::Scope;
use super::setting::{self, LARGEST_COUNT, plain};
use super::{list, path::single};
use crate::lower::part::Range;
use crate::program::Program;
use crate::{Budget, Health, LossChunk, Precision, Remedy, Schedule, Train};
use length::Run;
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Body, Expr, ExprKind, Statement, StatementKind, Unit};

const SETTINGS: [&str; 18] = [
    "steps",
    "tokens",
    "batch",
    "micro_batch",
    "schedule",
    "decay_schedule",
    "precision",
    "loss_chunk",
    "recompute",
    "clip",
    "eval_every",
    "checkpoint_every",
    "keep_last",
    "keep_every",
    "on_non_finite",
    "on_spike",
    "on_dead_scale",
    "seed",
];
/// No run is longer, and no budget larger.
const LONGEST: f64 = 1e15;

type Given<'a> = BTreeMap<String, (&'a Expr, Span)>;

/// The settings: the files', then the variants', a later one replacing an earlier.
pub fn train(scope: &mut Scope<'_>, program: &Program, context: usize, model: Span) -> Option<Train> {
    let draft = scope.draft;
    let mut given = Given::new();
    // The blocks of one file are one, and so are those of one variant: none of them replaces what another says.
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut owner = None;
    let of_files = program.trains().map(|body| ((None, body.span.source), body));
    let of_variants = draft.trains.iter().map(|(block, body)| ((Some(*block), body.span.source), *body));
    for (next, body) in of_files.chain(of_variants) {
        if owner.replace(next) != Some(next) {
            seen.clear();
        }
        collect(scope, body, &mut given, &mut seen);
    }
    if given.is_empty() {
        return Some(defaults(1000, 8));
    }
    let batch = batch(scope, &given, context, model);
    let budget = budget(scope, &given, model);
    let steps = match (budget, batch) {
        (Some(Budget::Steps(steps)), _) => Some(steps),
        (Some(Budget::Tokens(tokens)), Some(batch)) => Some(tokens.div_ceil(batch * context as u64)),
        (Some(Budget::Tokens(_)) | None, _) => None,
    };
    // Settings that count in steps are checked also where the number of steps, or what a step holds, is at fault.
    let run = Run {
        steps: steps.unwrap_or(LONGEST as u64),
        tokens_per_step: batch.map_or(LONGEST as u64, |batch| batch * context as u64),
    };
    let usual = defaults(run.steps, batch.unwrap_or(1));
    let train = Train {
        micro_batch: match batch {
            Some(batch) => micro_batch(scope, &given, context, batch).unwrap_or(batch),
            None => 1,
        },
        schedule: read(&given, "schedule", usual.schedule, |expr| {
            schedule::schedule(scope, expr, run, run.steps.div_ceil(100))
        }),
        decay_schedule: read(&given, "decay_schedule", usual.decay_schedule, |expr| {
            schedule::schedule(scope, expr, run, 0)
        }),
        precision: read(&given, "precision", usual.precision, |expr| precision(scope, expr)),
        loss_chunk: read(&given, "loss_chunk", usual.loss_chunk, |expr| memory::loss_chunk(scope, expr)),
        recompute: read(&given, "recompute", usual.recompute, |expr| memory::recompute(scope, expr)),
        clip: read(&given, "clip", usual.clip, |expr| clip(scope, expr)),
        eval_every: read(&given, "eval_every", usual.eval_every, |expr| {
            length::interval(scope, "eval_every", expr, run)
        }),
        checkpoint_every: read(&given, "checkpoint_every", usual.checkpoint_every, |expr| {
            length::interval(scope, "checkpoint_every", expr, run)
        }),
        keep_last: read(&given, "keep_last", usual.keep_last, |expr| checkpoints(scope, "keep_last", expr)),
        keep_every: given.get("keep_every").and_then(|(expr, _)| {
            if setting::is_none(expr) { None } else { checkpoints(scope, "keep_every", expr) }
        }),
        health: health(scope, &given),
        seed: read(&given, "seed", usual.seed, |expr| seed(scope, expr)),
        ..usual
    };
    Some(Train { budget: budget?, steps: steps?, batch: batch?, ..train })
}

/// A setting's value: the usual one where it is not given, or at fault.
fn read<'a, T>(given: &Given<'a>, name: &str, usual: T, value: impl FnOnce(&'a Expr) -> Option<T>) -> T {
    given.get(name).and_then(|(expr, _)| value(expr)).unwrap_or(usual)
}

fn health(scope: &mut Scope<'_>, given: &Given<'_>) -> Health {
    let usual = Health::default();
    Health {
        on_non_finite: read(given, "on_non_finite", usual.on_non_finite, |expr| {
            health::remedy(scope, "on_non_finite", expr, &[Remedy::Stop, Remedy::Skip, Remedy::RollBack])
        }),
        on_spike: read(given, "on_spike", usual.on_spike, |expr| health::spike(scope, expr, usual.on_spike)),
        on_dead_scale: read(given, "on_dead_scale", usual.on_dead_scale, |expr| {
            health::remedy(scope, "on_dead_scale", expr, &[Remedy::Log, Remedy::Stop])
        }),
    }
}

fn precision(scope: &mut Scope<'_>, expr: &Expr) -> Option<Precision> {
    match setting::word(scope, "precision", expr, &["f32", "bf16", "bf16_stochastic"])? {
        "bf16" => Some(Precision::Bf16),
        "bf16_stochastic" => Some(Precision::Bf16Stochastic),
        _ => Some(Precision::F32),
    }
}

/// The outer `None` after a diagnostic, the inner one where clipping is off.
#[expect(clippy::option_option, reason = "a fault and the absence of clipping are two things")]
fn clip(scope: &mut Scope<'_>, expr: &Expr) -> Option<Option<f64>> {
    if setting::is_none(expr) {
        return Some(None);
    }
    setting::real(scope, "clip", expr, Range::Positive).map(Some)
}

/// A number of checkpoints.
fn checkpoints(scope: &mut Scope<'_>, what: &str, expr: &Expr) -> Option<u64> {
    let value = scope.number(expr)?;
    setting::whole(scope, what, value, expr.span, LONGEST).map(|count| count as u64)
}

fn seed(scope: &mut Scope<'_>, expr: &Expr) -> Option<u64> {
    let seed = setting::real(scope, "seed", expr, Range::NotNegative)?;
    setting::whole(scope, "seed", seed + 1.0, expr.span, LONGEST).map(|seed| seed as u64 - 1)
}

fn defaults(steps: u64, batch: u64) -> Train {
    Train {
        budget: Budget::Steps(steps),
        steps,
        batch,
        micro_batch: batch,
        schedule: Schedule::Cosine { warmup: steps.div_ceil(100), floor: 0.1 },
        decay_schedule: Schedule::Constant { warmup: 0 },
        precision: Precision::F32,
        loss_chunk: LossChunk::Auto,
        recompute: 0,
        clip: Some(1.0),
        eval_every: (steps / 10).max(1),
        checkpoint_every: steps,
        keep_last: 1,
        keep_every: None,
        health: Health::default(),
        seed: 0,
    }
}

/// `seen`: the settings that the same block, or another one beside it, gives already.
fn collect<'a>(
    scope: &mut Scope<'_>,
    body: &'a Body,
    given: &mut Given<'a>,
    seen: &mut BTreeMap<String, Span>,
) {
    for statement in &body.statements {
        let Some((name, span, value)) = assignment(statement) else {
            scope.findings.push(
                Diagnostic::error("misplaced-statement", "only settings stand in a `train` block")
                    .at(statement.span, "not a setting")
                    .help(format!("settings: {}", list(&SETTINGS))),
            );
            continue;
        };
        if !SETTINGS.contains(&name.as_str()) {
            let mut finding =
                Diagnostic::error("unknown-setting", format!("`train` has no setting called `{name}`"))
                    .at(span, "unknown");
            if let Some(close) = did_you_mean(&name, SETTINGS) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            scope.findings.push(finding.help(format!("settings: {}", list(&SETTINGS))));
            continue;
        }
        if let Some(first) = seen.insert(name.clone(), span) {
            scope.findings.push(duplicate("setting", &name, span, first));
        }
        // Each of the two says how long to train; the later one holds. Both in one block are a fault.
        let other = match name.as_str() {
            "steps" => "tokens",
            "tokens" => "steps",
            _ => "",
        };
        if let Some(&first) = seen.get(other) {
            scope.findings.push(
                Diagnostic::error("duplicate-name", "both `steps` and `tokens` say how long to train")
                    .at(span, "given again here")
                    .because(first, "first given here")
                    .help("keep one of the two"),
            );
        }
        given.remove(other);
        given.insert(name, (value, span));
    }
}

fn assignment(statement: &Statement) -> Option<(String, Span, &Expr)> {
    if let StatementKind::Setting { path, value } = &statement.kind {
        single(path).map(|(name, span)| (name, span, value))
    } else {
        None
    }
}

fn budget(scope: &mut Scope<'_>, given: &Given<'_>, model: Span) -> Option<Budget> {
    if let Some((expr, _)) = given.get("steps") {
        let (value, _) = amount(scope, expr, Unit::Steps)?;
        return setting::whole(scope, "steps", value, expr.span, LONGEST)
            .map(|steps| Budget::Steps(steps as u64));
    }
    if let Some((expr, _)) = given.get("tokens") {
        let (value, _) = amount(scope, expr, Unit::Tokens)?;
        return setting::whole(scope, "tokens", value, expr.span, LONGEST)
            .map(|tokens| Budget::Tokens(tokens as u64));
    }
    missing(scope, given, model, "how long to train", "`steps = 1000` or `tokens = 2.5B`");
    None
}

fn missing(scope: &mut Scope<'_>, given: &Given<'_>, model: Span, what: &str, example: &str) {
    let place = given.values().next().map_or(model, |(_, span)| *span);
    scope.findings.push(
        Diagnostic::error("missing-setting", format!("the `train` block does not say {what}"))
            .at(place, "in this block")
            .help(format!("write {example}")),
    );
}

/// An amount and its unit, which may only be `unit`.
fn amount(scope: &mut Scope<'_>, expr: &Expr, unit: Unit) -> Option<(f64, Option<Unit>)> {
    if let ExprKind::Number(number) = &expr.kind {
        match number.unit {
            None => return Some((number.value, None)),
            Some(given) if given == unit => return Some((number.value, Some(given))),
            Some(Unit::Tokens | Unit::Steps | Unit::Percent) => {
                let wanted = match unit {
                    Unit::Tokens => "tokens",
                    Unit::Steps => "steps",
                    Unit::Percent => "%",
                };
                let message = format!("`{}` is not in {wanted}", scope.quote(expr.span));
                // The same count in another unit is rarely what was meant.
                let help = match unit {
                    Unit::Tokens => {
                        "write an amount such as `0.5M tokens`; a batch without a unit is in sequences"
                    }
                    Unit::Steps => "write a number of steps, such as `1000` or `100 steps`",
                    Unit::Percent => "write a share, such as `10%`",
                };
                scope.findings.push(
                    Diagnostic::error("not-a-number", message)
                        .at(expr.span, "another unit is expected")
                        .help(help),
                );
                return None;
            }
        }
    }
    scope.number(expr).map(|value| (value, None))
}

/// The batch in sequences.
fn batch(scope: &mut Scope<'_>, given: &Given<'_>, context: usize, model: Span) -> Option<u64> {
    let Some((expr, _)) = given.get("batch") else {
        missing(
            scope,
            given,
            model,
            "how large a batch is",
            "`batch = 16` (sequences) or `batch = 0.5M tokens`",
        );
        return None;
    };
    sequences(scope, "batch", expr, context)
}

fn sequences(scope: &mut Scope<'_>, what: &str, expr: &Expr, context: usize) -> Option<u64> {
    let (value, unit) = amount(scope, expr, Unit::Tokens)?;
    match unit {
        None => setting::whole(scope, what, value, expr.span, LARGEST_COUNT).map(|count| count as u64),
        Some(Unit::Tokens | Unit::Steps | Unit::Percent) => {
            let tokens = setting::whole(scope, what, value, expr.span, LARGEST_COUNT * context as f64)?;
            if tokens.is_multiple_of(context) {
                return Some((tokens / context) as u64);
            }
            let below = tokens / context;
            let near =
                |sequences: usize| format!("`{what} = {} tokens`", plain((sequences * context) as f64));
            let suggestion =
                if below == 0 { near(1) } else { format!("{} or {}", near(below), near(below + 1)) };
            let mut finding = Diagnostic::error(
                "batch-not-divisible",
                format!("{} tokens are not whole sequences of {context}", plain(tokens as f64)),
            )
            .at(expr.span, format!("{:.3} sequences", value / context as f64));
            if let Some(entry) = scope.draft.settings.get("context") {
                finding = finding.because(entry.span, format!("sequences of {context} tokens"));
            }
            scope.findings.push(finding.help(format!("write {suggestion}")));
            None
        }
    }
}

fn micro_batch(scope: &mut Scope<'_>, given: &Given<'_>, context: usize, batch: u64) -> Option<u64> {
    let (expr, _) = given.get("micro_batch")?;
    let micro = sequences(scope, "micro_batch", expr, context)?;
    if batch.is_multiple_of(micro) {
        return Some(micro);
    }
    let nearest =
        (1..=micro.min(batch)).rev().find(|candidate| batch.is_multiple_of(*candidate)).unwrap_or(1);
    let because = given.get("batch").map(|(_, span)| *span);
    let mut finding = Diagnostic::error(
        "batch-not-divisible",
        format!("a batch of {batch} sequences is not made of micro-batches of {micro}"),
    )
    .at(expr.span, format!("{micro} does not divide {batch}"));
    if let Some(span) = because {
        finding = finding.because(span, format!("{batch} sequences"));
    }
    scope.findings.push(finding.help(format!("write `micro_batch = {nearest}`")));
    None
}
