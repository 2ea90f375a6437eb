//! A rule as written in; a rule whose every name is understood out.

use super::amount::amount;
use super::number::Scope;
use super::resolved::Part;
use super::{list, setting, setting::bare_word};
use crate::group::RuleText;
use crate::lower::part::{Ports, Range};
use crate::param::ScalePart;
use crate::rule::{Clipping, Condition, InitValue, ResolvedRule, Selector, Test, Use, Verb};
use crate::{ParamKind, PerLayer, Role, Site, Split, Unit};
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{self, Comparison, Expr, ExprKind, Path};

const VERBS: [&str; 8] = ["decay", "lr", "init", "clip", "use", "betas", "eps", "unit"];
const KINDS: [(&str, ParamKind); 5] = [
    ("weight", ParamKind::Weight),
    ("embedding", ParamKind::Embedding),
    ("scale", ParamKind::Scale),
    ("bias", ParamKind::Bias),
    ("router", ParamKind::Router),
];
const SITES: [(&str, Site); 5] = [
    ("norm", Site::Norm),
    ("linear_input", Site::LinearInput),
    ("linear_output", Site::LinearOutput),
    ("qk_head", Site::QkHead),
    ("residual", Site::Residual),
];
const SCALE_PARTS: [(&str, ScalePart); 3] =
    [("magnitude", ScalePart::Magnitude), ("direction", ScalePart::Direction), ("whole", ScalePart::Whole)];
const ROLES: [(&str, Role); 2] = [("input", Role::Input), ("output", Role::Output)];
const ATTRIBUTES: [&str; 5] = ["role", "site", "part", "layer", "absorbable"];

/// Understands a rule; `None` after a diagnostic.
pub fn rule(scope: &mut Scope<'_>, parts: &[Part], rule: &ast::Rule, span: Span) -> Option<ResolvedRule> {
    let verb = verb(scope, rule);
    let selectors: Vec<Option<Vec<Selector>>> =
        rule.selectors.iter().map(|path| selector(scope, parts, path)).collect();
    let conditions: Vec<Option<Condition>> =
        rule.conditions.iter().map(|test| condition(scope, test)).collect();
    idle_selectors(scope, rule, &selectors, &conditions);
    let place = scope.sources.get(span.source).map_or("", |source| source.name.as_str());
    let (line, _) = scope.sources.line_column(span);
    let text = RuleText { text: svspec_syntax::format_rule(rule), place: format!("{place}:{line}"), span };
    Some(ResolvedRule {
        verb: verb?,
        selectors: selectors.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect(),
        conditions: conditions.into_iter().collect::<Option<Vec<_>>>()?,
        text,
        allow: Vec::new(),
    })
}

/// Selectors that no tensor can match because of a condition, beside others that may: `embedding` in
/// `decay 0 on embedding, scale where role == output`.
fn idle_selectors(
    scope: &mut Scope<'_>,
    rule: &ast::Rule,
    selectors: &[Option<Vec<Selector>>],
    conditions: &[Option<Condition>],
) {
    for (written, condition) in rule.conditions.iter().zip(conditions) {
        let Some(condition) = condition else { continue };
        let idle: Vec<Span> = rule
            .selectors
            .iter()
            .zip(selectors)
            .filter(|(_, known)| known.iter().flatten().any(|known| !may_hold(condition.test, known)))
            .map(|(path, _)| path.span)
            .collect();
        // A rule of which nothing is left is reported as a whole.
        if idle.len() == rule.selectors.len() {
            continue;
        }
        for span in idle {
            let (selector, test) = (scope.quote(span), scope.quote(written.span));
            let about = match condition.test {
                Test::Layer(..) => "tensors of layers",
                Test::Role(_) | Test::Site(_) | Test::Part(_) | Test::Absorbable => "scale vectors",
            };
            let message =
                format!("`{selector}` selects nothing in this rule: `{test}` holds of {about} alone");
            scope.findings.push(
                Diagnostic::warning("rule-matches-nothing", message)
                    .at(span, "selects nothing")
                    .because(written.span, "because of this condition")
                    .help(format!("write a rule of its own for `{selector}`, without the condition")),
            );
        }
    }
}

/// Whether a condition may hold of a tensor that a selector selects.
fn may_hold(test: Test, selector: &Selector) -> bool {
    match (test, selector) {
        (_, Selector::All | Selector::Kind(ParamKind::Scale)) => true,
        (Test::Layer(..), Selector::Kind(kind)) => *kind != ParamKind::Embedding,
        (Test::Layer(..), Selector::Path(segments)) => {
            segments.first().is_none_or(|first| first != "unembed")
        }
        (Test::Role(_) | Test::Site(_) | Test::Part(_) | Test::Absorbable, Selector::Kind(_)) => false,
        (Test::Role(_) | Test::Site(_) | Test::Part(_) | Test::Absorbable, Selector::Path(segments)) => {
            segments.last().is_none_or(|last| last != "weight" && last != "bias")
        }
    }
}

fn verb(scope: &mut Scope<'_>, rule: &ast::Rule) -> Option<Verb> {
    let name = rule.verb.text.as_str();
    match name {
        "decay" => amount(scope, "decay", &rule.value, Range::NotNegative).map(Verb::Decay),
        "lr" => amount(scope, "lr", &rule.value, Range::NotNegative).map(Verb::LearningRate),
        "init" => init(scope, &rule.value).map(Verb::Init),
        "use" => algorithm(scope, &rule.value).map(Verb::Use),
        "betas" => super::optimizer::betas(scope, &rule.value).map(Verb::Betas),
        "eps" => setting::real(scope, "eps", &rule.value, Range::Positive).map(Verb::Eps),
        "clip" => {
            Some(Verb::Clip(match setting::word_after(scope, "clip", "clip", &rule.value, &["on", "off"])? {
                "on" => Clipping::On,
                _ => Clipping::Off,
            }))
        }
        "unit" => {
            let word = setting::word_after(scope, "unit", "unit", &rule.value, &["rows", "columns", "off"])?;
            Some(Verb::Unit(match word {
                "rows" => Some(Unit::Rows),
                "columns" => Some(Unit::Columns),
                _ => None,
            }))
        }
        _ => {
            let mut finding = Diagnostic::error("unknown-rule", format!("no rule is called `{name}`"))
                .at(rule.verb.span, "unknown");
            if let Some(close) = did_you_mean(name, VERBS) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            scope.findings.push(finding.help(format!("rules: {}", list(&VERBS))));
            None
        }
    }
}

fn algorithm(scope: &mut Scope<'_>, expr: &Expr) -> Option<Use> {
    if let ExprKind::Call { callee, arguments } = &expr.kind
        && super::path::single(callee).is_some_and(|(name, _)| name == "muon")
        && let [split] = arguments.as_slice()
    {
        match bare_word(split).as_deref() {
            Some("head") => return Some(Use::Muon(Split::Head)),
            Some("whole") => return Some(Use::Muon(Split::Whole)),
            Some(_) | None => {}
        }
    }
    match bare_word(expr).as_deref() {
        Some("adamw") => return Some(Use::AdamW),
        Some("muon") => return Some(Use::Muon(Split::Whole)),
        Some("sgd") => return Some(Use::Sgd),
        Some(_) | None => {}
    }
    let message = format!("there is no optimizer called `{}`", scope.quote(expr.span));
    scope.findings.push(
        Diagnostic::error("unknown-value", message)
            .at(expr.span, "unknown")
            .help("write `adamw`, `muon` (one matrix of a weight), `muon(head)` (one of each head) or `sgd`"),
    );
    None
}

fn init(scope: &mut Scope<'_>, expr: &Expr) -> Option<InitValue> {
    match &expr.kind {
        ExprKind::Call { callee, arguments } => {
            let name = super::path::single(callee).map(|(name, _)| name);
            match (name.as_deref(), arguments.as_slice()) {
                (Some("normal"), [std]) => {
                    return amount(scope, "normal(std)", std, Range::NotNegative).map(InitValue::Normal);
                }
                (Some("truncated_normal"), [std]) => {
                    let std = amount(scope, "truncated_normal(std)", std, Range::NotNegative);
                    return std.map(InitValue::TruncatedNormal);
                }
                (Some("uniform"), [bound]) => {
                    return amount(scope, "uniform(bound)", bound, Range::NotNegative)
                        .map(InitValue::Uniform);
                }
                (Some("constant"), [value]) => {
                    return amount(scope, "constant(value)", value, Range::Any).map(InitValue::Constant);
                }
                (_, _) => {}
            }
        }
        ExprKind::Name(_) => match bare_word(expr).as_deref() {
            Some("zeros") => return Some(InitValue::Constant(PerLayer::Uniform(0.0).into())),
            Some("ones") => return Some(InitValue::Constant(PerLayer::Uniform(1.0).into())),
            Some(_) | None => {}
        },
        ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Record { .. }
        | ExprKind::Tuple(_)
        | ExprKind::Negate(_)
        | ExprKind::Binary { .. }
        | ExprKind::Group(_) => {}
    }
    let message = format!("`{}` is not an init", scope.quote(expr.span));
    scope.findings.push(
        Diagnostic::error("unknown-value", message)
            .at(expr.span, "unknown here")
            .help("write `normal(0.02)` or `truncated_normal(0.02)` (standard deviations), `uniform(0.1)` (its bound), `constant(1)`, `zeros` or `ones`"),
    );
    None
}

fn selector(scope: &mut Scope<'_>, parts: &[Part], path: &Path) -> Option<Vec<Selector>> {
    let names = super::path::expand(path);
    let selectors: Vec<Option<Selector>> =
        names.into_iter().map(|(name, span)| select(scope, parts, &name, span)).collect();
    selectors.into_iter().collect()
}

fn select(scope: &mut Scope<'_>, parts: &[Part], name: &str, span: Span) -> Option<Selector> {
    if name == "all" {
        return Some(Selector::All);
    }
    if let Some((_, kind)) = KINDS.into_iter().find(|(word, _)| *word == name) {
        return Some(Selector::Kind(kind));
    }
    let segments: Vec<String> = name.split('.').map(str::to_owned).collect();
    let known = paths(parts);
    let is_prefix =
        |path: &String| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    // A part that is declared but at fault was reported there.
    let is_faulty = || {
        let first = segments.first().map_or("", String::as_str);
        let is_declared = scope.draft.part_names().any(|declared| declared == first);
        is_declared && !parts.iter().any(|part| part.name == first)
    };
    if known.iter().any(is_prefix) || is_faulty() {
        return Some(Selector::Path(segments));
    }
    let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).chain(["all"]).collect();
    let mut finding = Diagnostic::error(
        "unknown-selector",
        format!("`{name}` is neither a kind of tensor nor the path of one"),
    )
    .at(span, "selects nothing that could exist");
    let candidates = words.iter().copied().chain(parts.iter().map(|part| part.name.as_str()));
    if let Some(close) = did_you_mean(name, candidates.chain(known.iter().map(String::as_str))) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    finding =
        finding.help(format!("kinds: {}; or a path such as `attn.q` or `attn_norm.scale`", list(&words)));
    scope.findings.push(finding);
    None
}

/// Every path that some placement could give a tensor: a rule may be written for vectors that only a variant places.
fn paths(parts: &[Part]) -> Vec<String> {
    let mut paths = vec!["embed.weight".to_owned()];
    for part in parts {
        let ports: &[&str] = match part.kind.ports {
            Ports::None => &[],
            Ports::Itself => &[""],
            Ports::Named(ports) => ports,
        };
        for port in ports {
            let port = part.port_path(port);
            let names = ["weight", "bias", "in_bias", "out_bias"];
            paths.extend(names.map(|suffix| format!("{port}.{suffix}")));
            for scale in ["in_scale", "out_scale"] {
                paths
                    .extend(["", ".magnitude", ".direction"].map(|suffix| format!("{port}.{scale}{suffix}")));
            }
        }
        if ports.is_empty() {
            let names = ["scale", "scale.magnitude", "scale.direction", "bias", "weight"];
            paths.extend(names.map(|suffix| format!("{}.{suffix}", part.name)));
        }
        if part.word("sinks").is_some() {
            paths.push(format!("{}.sinks", part.name));
        }
    }
    paths
}

fn condition(scope: &mut Scope<'_>, condition: &ast::Condition) -> Option<Condition> {
    let name = condition.attribute.text.as_str();
    let test = match (name, &condition.test) {
        ("absorbable", None) => Some((Test::Absorbable, false)),
        ("role", Some((comparison, expr))) => equality(scope, condition, *comparison, expr, &ROLES)
            .map(|(role, negated)| (Test::Role(role), negated)),
        ("site", Some((comparison, expr))) => equality(scope, condition, *comparison, expr, &SITES)
            .map(|(site, negated)| (Test::Site(site), negated)),
        ("part", Some((comparison, expr))) => equality(scope, condition, *comparison, expr, &SCALE_PARTS)
            .map(|(part, negated)| (Test::Part(part), negated)),
        ("layer", Some((comparison, expr))) => {
            scope.number(expr).map(|value| (Test::Layer(*comparison, value), false))
        }
        ("absorbable", Some(_)) => bad_condition(
            scope,
            condition,
            "`absorbable` stands alone",
            "write `absorbable` or `not absorbable`",
        ),
        ("role" | "site" | "part" | "layer", None) => {
            let message = format!("`{name}` is compared with nothing");
            let help = match name {
                "role" => "write `role == input` or `role == output`",
                "site" => "write `site == norm`, `linear_input`, `linear_output`, `qk_head` or `residual`",
                "part" => "write `part == magnitude`, `direction` or `whole`",
                _ => "write `layer < 4`; layers count from 1",
            };
            bad_condition(scope, condition, &message, help)
        }
        _ => {
            let mut finding =
                Diagnostic::error("unknown-condition", format!("nothing called `{name}` can be tested"))
                    .at(condition.span, "unknown");
            if let Some(close) = did_you_mean(name, ATTRIBUTES) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            scope.findings.push(finding.help(format!("conditions are about {}", list(&ATTRIBUTES))));
            None
        }
    }?;
    Some(Condition { test: test.0, negated: condition.negated != test.1 })
}

/// The word compared with, and whether the comparison is `!=`.
fn equality<T: Copy>(
    scope: &mut Scope<'_>,
    condition: &ast::Condition,
    comparison: Comparison,
    expr: &Expr,
    words: &[(&'static str, T)],
) -> Option<(T, bool)> {
    let name = &condition.attribute.text;
    let negated = match comparison {
        Comparison::Equal => false,
        Comparison::NotEqual => true,
        Comparison::Less | Comparison::LessEqual | Comparison::Greater | Comparison::GreaterEqual => {
            let message = format!("`{name}` has no order");
            return bad_condition(scope, condition, &message, "compare it with `==` or `!=`");
        }
    };
    let known: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
    let lead = format!("{name} {}", if negated { "!=" } else { "==" });
    let word = setting::word_after(scope, name, &lead, expr, &known)?;
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| (*value, negated))
}

fn bad_condition<T>(
    scope: &mut Scope<'_>,
    condition: &ast::Condition,
    message: &str,
    help: &str,
) -> Option<T> {
    scope.findings.push(
        Diagnostic::error("unknown-condition", message).at(condition.span, "not a condition").help(help),
    );
    None
}
