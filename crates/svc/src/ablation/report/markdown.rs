//! An ablation's report in, Markdown for a person out: a table, and what may be read into it.

use super::{Report, Row, Searched};
use crate::ablation::statistics::Estimate;
use crate::picture::Verdict;

/// The report to read.
pub fn markdown(report: &Report) -> String {
    let Report { spec, steps, tokens, device, .. } = report;
    let mut text = format!(
        "# Ablation of {spec}\n\n\
         {} per variant, {steps} steps ({tokens} tokens) on {device}. Runs of one seed begin with the same weights and \
         see the same text in the same order.\n\n",
        report.seeds()
    );
    let rate = if report.search.is_some() { " learning rate |" } else { "" };
    let rule = if report.search.is_some() { "---|" } else { "" };
    text.push_str(&format!(
        "| variant |{rate} loss | difference to baseline | 95 % interval | verdict | tokens/s | memory | parameters added |\n\
         |---|{rule}---|---|---|---|---|---|---|\n"
    ));
    text.extend(report.rows.iter().enumerate().map(|(index, row)| line(report, index, row)));
    text.push_str(&legend(report));
    if let Some(searched) = &report.search {
        text.push_str(&search(searched));
    }
    text
}

fn line(report: &Report, index: usize, row: &Row) -> String {
    let rate = match &report.search {
        None => String::new(),
        Some(_) => format!(" × {} |", row.lr_scale),
    };
    let loss = row.loss.as_ref().map_or_else(|| diverged(row), unsigned);
    let (difference, interval, verdict) = match &row.difference {
        _ if index == 0 => ("-".to_owned(), "-".to_owned(), "baseline"),
        None => ("-".to_owned(), "-".to_owned(), if row.loss.is_none() { "diverged" } else { "none" }),
        Some(difference) => (signed(&difference.of), interval(&difference.of), word(difference.verdict())),
    };
    let relative = |factor: Option<f64>| factor.map_or("-".to_owned(), |factor| format!("{factor:.2}×"));
    let added = row.params_added.map_or("-".to_owned(), |added| format!("{added:+}"));
    format!(
        "| `{}` |{rate} {loss} | {difference} | {interval} | {verdict} | {} | {} | {added} |\n",
        row.variant,
        relative(row.relative_speed),
        relative(row.relative_memory),
    )
}

fn legend(report: &Report) -> String {
    let noise = if report.seeds.len() == 1 {
        "With one seed there is no error to state, and no difference can be told from noise: use --seeds 3 or more."
    } else {
        "The interval is Student's, of those differences. The verdict is *lower* or *higher* where a paired \
         t-test gives p < 0.05 after Holm's correction for the number of variants, and *noise* elsewhere: there a \
         difference within the interval may exist and could not be seen with so many seeds."
    };
    let rate = if report.search.is_some() {
        "The learning rate of each variant is the spec's times the factor that its own search found best (below)."
    } else {
        "The learning rate is the spec's for all variants, tuned for none."
    };
    let jobs = match report.jobs {
        1 => "run after run".to_owned(),
        jobs => format!("up to {jobs} runs at a time: they slow one another down"),
    };
    format!(
        "\nLoss: terminal validation loss, nats per token, mean ± standard error over the seeds. A unigram model \
         reaches {:.3}. The difference is paired by seed. {noise} {rate} Speed and memory are as measured on one \
         machine, {jobs}.\n",
        report.unigram_entropy
    )
}

/// What each rate gave.
fn search(searched: &[Searched]) -> String {
    let mut text = "\n## Learning rates\n\n".to_owned();
    if let Some(first) = searched.first() {
        text.push_str(&format!(
            "Terminal validation loss of one run each, with seed {}, which is not among those compared. The best is taken; \
             where it was the smallest or largest factor, one beyond was tried.\n\n",
            first.seed
        ));
    }
    for Searched { variant, trials, best, .. } in searched {
        let shown: Vec<String> = trials
            .iter()
            .map(|trial| {
                let loss = trial.loss.map_or("diverged".to_owned(), |loss| format!("{loss:.4}"));
                let mark = if trial.lr_scale.total_cmp(&best.lr_scale).is_eq() { "**" } else { "" };
                format!("{mark}× {}: {loss}{mark}", trial.lr_scale)
            })
            .collect();
        let end = if best.bracketed { "" } else { "; the best may lie beyond" };
        text.push_str(&format!("- `{variant}`: {}{end}\n", shown.join(", ")));
    }
    text
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Untested => "one seed",
        Verdict::Noise => "noise",
        Verdict::Lower => "lower",
        Verdict::Higher => "higher",
    }
}

/// "diverged (2 of 3)"
fn diverged(row: &Row) -> String {
    let num = row.losses.iter().filter(|loss| loss.is_none()).count();
    format!("diverged ({num} of {})", row.losses.len())
}

fn unsigned(estimate: &Estimate) -> String {
    match estimate.standard_error {
        Some(error) => format!("{:.4} ± {error:.4}", estimate.mean),
        None => format!("{:.4}", estimate.mean),
    }
}

fn signed(estimate: &Estimate) -> String {
    match estimate.standard_error {
        Some(error) => format!("{:+.4} ± {error:.4}", estimate.mean),
        None => format!("{:+.4}", estimate.mean),
    }
}

fn interval(estimate: &Estimate) -> String {
    estimate.half_interval.map_or("-".to_owned(), |half| {
        format!("{:+.4} to {:+.4}", estimate.mean - half, estimate.mean + half)
    })
}
