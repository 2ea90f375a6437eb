//! An ablation's report in, Markdown for a person out: a table, and what may be read into it.

use super::{Report, Row};
use crate::ablation::statistics::Estimate;

/// The report to read.
pub fn markdown(report: &Report) -> String {
    let Report { spec, steps, tokens, device, .. } = report;
    let mut text = format!(
        "# Ablation of {spec}\n\n\
         {} per variant, {steps} steps ({tokens} tokens) on {device}. Runs of one seed begin with the same weights and \
         see the same text in the same order.\n\n\
         | variant | loss | difference to baseline | verdict | tokens/s | memory | parameters added |\n\
         |---|---|---|---|---|---|---|\n",
        report.seeds()
    );
    text.extend(report.rows.iter().map(line));
    text.push_str(&legend(report));
    text
}

fn line(row: &Row) -> String {
    let memory = row.relative_memory.map_or("-".to_owned(), |memory| format!("{memory:.2}×"));
    let (difference, verdict) = match &row.difference {
        None => ("-".to_owned(), "baseline"),
        Some(difference) => (signed(difference), verdict(difference)),
    };
    format!(
        "| `{}` | {} | {difference} | {verdict} | {:.2}× | {memory} | {:+} |\n",
        row.variant,
        unsigned(&row.loss),
        row.relative_speed,
        row.params_added
    )
}

fn legend(report: &Report) -> String {
    let noise = if report.seeds.len() == 1 {
        "With one seed there is no error to state, and no difference can be told from noise: use --seeds 3 or more."
    } else {
        "The verdict is *lower* or *higher* where the 95 % interval of the paired difference (Student's t) leaves out \
         0, and *noise* elsewhere; it is not corrected for the number of variants."
    };
    format!(
        "\nLoss: terminal validation loss, nats per token, mean ± standard error over the seeds. A unigram model \
         reaches {:.3}. The difference is paired by seed. {noise} The learning rate is the spec's for all variants, \
         tuned for none. Speed and memory are as measured on one machine, run after run.\n",
        report.unigram_entropy
    )
}

/// What a difference allows to say.
fn verdict(difference: &Estimate) -> &'static str {
    match difference.half_interval {
        None => "one seed",
        Some(half) if difference.mean + half < 0.0 => "lower",
        Some(half) if difference.mean - half > 0.0 => "higher",
        Some(_) => "noise",
    }
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
