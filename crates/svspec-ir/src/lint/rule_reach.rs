//! `rule-matches-nothing` and `rule-shadowed`: rules that decide nothing in any target of the file that has them.

use crate::rule::Verb;
use crate::rules::Hits;
use crate::{ResolvedRule, group::RuleText};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span};

/// Adds up the reach of each rule over the targets.
pub fn rule_reach(targets: &[Vec<(ResolvedRule, Hits)>]) -> Vec<Diagnostic> {
    let mut total: BTreeMap<Span, (&ResolvedRule, Hits, usize)> = BTreeMap::new();
    for (rule, hits) in targets.iter().flatten() {
        let entry = total.entry(rule.text.span).or_insert((rule, Hits::default(), 0));
        entry.1.matched += hits.matched;
        entry.1.decides += hits.decides;
        entry.2 += 1;
    }
    total
        .values()
        .filter_map(|(rule, hits, targets)| finding(&rule.text, &rule.verb, *hits, *targets))
        .collect()
}

fn finding(text: &RuleText, verb: &Verb, hits: Hits, targets: usize) -> Option<Diagnostic> {
    let models = if targets == 1 { "the one model that has it" } else { "any model that has it" };
    if hits.matched == 0 {
        let message = format!("`{}` matches no tensor of {models}", text.text);
        let remedy = match verb {
            Verb::Betas(_) | Verb::Eps(_) => {
                "remove it, or select what AdamW steps: `betas` and `eps` are its constants"
            }
            Verb::Unit(_) => "remove it, or select matrices: nothing else has rows or columns",
            Verb::Decay(_) | Verb::LearningRate(_) | Verb::Init(_) | Verb::Clip(_) | Verb::Use(_) => {
                "remove it, or select what is there: `svc show params` lists every tensor"
            }
        };
        return Some(
            Diagnostic::warning("rule-matches-nothing", message)
                .at(text.span, "matches nothing")
                .help(remedy),
        );
    }
    if hits.decides == 0 {
        let message = format!("`{}` decides nothing: later rules override it for every tensor", text.text);
        return Some(
            Diagnostic::warning("rule-shadowed", message)
                .at(text.span, "wholly overridden")
                .help("remove it, or move it after the rules that override it; a later rule wins"),
        );
    }
    None
}
