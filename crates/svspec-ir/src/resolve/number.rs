//! Expressions over numbers in, their values out. Names are looked up in the settings, each evaluated once.

use super::draft::{Draft, Given};
use super::told::Told;
use crate::PerLayer;
use crate::arithmetic::{self, FUNCTIONS};
use crate::lower::part::{self, Preset};
use std::collections::{BTreeMap, BTreeSet};
use svspec_diagnostics::{Diagnostic, Sources, Span, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, Unit};

/// Settings of a model that are numbers.
pub const NUMERIC_SETTINGS: [&str; 4] = ["vocab", "context", "width", DOCUMENT_END];
/// Settings of a model that are not.
pub const OTHER_SETTINGS: [&str; 4] = ["tie_embeddings", "stack", "logits", "x"];
/// What a rule may name of the matrix that it is about.
pub const FANS: [&str; 2] = ["fan_in", "fan_out"];
/// The setting of the token that ends a document; without it a sequence is one document.
pub const DOCUMENT_END: &str = "document_end";
/// The setting of the embedding table; that of the model where it is not written.
pub const EMBED_WIDTH: &str = "embed.width";

/// An expression, or a chain of settings, may go this deep.
const DEEPEST: usize = 128;

/// A setting that was evaluated.
#[derive(Clone, Copy)]
struct Known {
    value: Option<f64>,
    differs: bool,
}

/// What numbers may refer to, and what has been found out so far.
pub struct Scope<'a> {
    /// The statements.
    pub draft: &'a Draft<'a>,
    /// For quoting.
    pub sources: &'a Sources,
    /// Faults found.
    pub findings: Vec<Diagnostic>,
    /// Faults of settings that are the same in every layer, found once however many layers ask for them.
    pub common: Vec<Diagnostic>,
    /// The length of the stack; `None` until it is known, or if it is at fault.
    pub num_layers: Option<usize>,
    /// Constants that some expression uses.
    pub used: BTreeSet<String>,
    /// How often equations have applied parts of kinds that files define.
    pub num_applied: usize,
    /// The layer that numbers are asked for, from 1; `None` outside the stack.
    layer: Option<usize>,
    /// The part used outside the stack whose settings are read.
    pub outsider: Option<String>,
    /// Whether a number that was asked for since this was last set differs from layer to layer.
    differs: bool,
    /// By name and, of those that differ from layer to layer, the layer.
    known: BTreeMap<(String, Option<usize>), Known>,
    open: Vec<String>,
    depth: usize,
}

impl<'a> Scope<'a> {
    /// Nothing evaluated yet.
    pub fn new(draft: &'a Draft<'a>, sources: &'a Sources) -> Self {
        Self {
            draft,
            sources,
            findings: Vec::new(),
            common: Vec::new(),
            num_layers: None,
            used: BTreeSet::new(),
            num_applied: 0,
            layer: None,
            outsider: None,
            differs: false,
            known: BTreeMap::new(),
            open: Vec::new(),
            depth: 0,
        }
    }

    /// The source text of a place, cut to a length fit for a message.
    pub fn quote(&self, span: Span) -> String {
        super::quote(self.sources, span)
    }

    /// The value of an expression in the layer that is asked for; `None` after a diagnostic.
    pub fn number(&mut self, expr: &Expr) -> Option<f64> {
        if self.depth >= DEEPEST {
            let message =
                format!("the expression, or the chain of settings it names, is more than {DEEPEST} deep");
            self.findings.push(
                Diagnostic::error("nested-too-deeply", message)
                    .at(expr.span, "too deep from here on")
                    .help("give an intermediate value a name of its own"),
            );
            return None;
        }
        self.depth += 1;
        let value = self.evaluate(expr);
        self.depth -= 1;
        let value = value?;
        if value.is_finite() {
            return Some(value);
        }
        self.findings.push(
            Diagnostic::error(
                "not-a-number",
                format!(
                    "`{}` is {}",
                    self.quote(expr.span),
                    if value.is_nan() { "undefined" } else { "infinite" }
                ),
            )
            .at(expr.span, "has no finite value")
            .help("look for a division by zero, the root or logarithm of a negative number, or an overflow"),
        );
        None
    }

    /// The value in each layer for which `wanted` holds, `layer` counted from 1 in the expression; layers that are not
    /// wanted get 0. `check` says whether a value will do, after a diagnostic if not.
    pub fn per_layer(
        &mut self,
        expr: &Expr,
        wanted: impl Fn(usize) -> bool,
        check: impl Fn(&mut Self, f64) -> Option<f64>,
    ) -> Option<PerLayer> {
        let evaluate = |scope: &mut Self| scope.number(expr).and_then(|value| check(scope, value));
        let num_layers = self.num_layers.unwrap_or(0);
        let first = (0..num_layers).find(|layer| wanted(*layer)).unwrap_or(0);
        let faults = self.findings.len();
        let (value, differs) = self.in_layer(Some(first), evaluate);
        if !differs {
            return value.map(PerLayer::Uniform);
        }
        let mut told = Told::default();
        told.add(first, self.findings.split_off(faults));
        let mut values = vec![0.0; num_layers];
        let mut is_sound = self.num_layers.is_some() && value.is_some();
        for (layer, slot) in values.iter_mut().enumerate().filter(|(layer, _)| wanted(*layer)) {
            let (value, _) = self.in_layer(Some(layer), evaluate);
            if layer == first {
                self.findings.truncate(faults);
            } else {
                told.add(layer, self.findings.split_off(faults));
            }
            is_sound &= value.is_some();
            *slot = value.unwrap_or(0.0);
        }
        self.findings.extend(told.findings());
        is_sound.then_some(PerLayer::Each(values))
    }

    /// What `evaluate` finds in a layer, from 0, or outside the stack, and whether it asks for `layer`.
    pub fn in_layer<T>(&mut self, layer: Option<usize>, evaluate: impl FnOnce(&mut Self) -> T) -> (T, bool) {
        let outer = (self.layer, self.differs);
        (self.layer, self.differs) = (layer.map(|layer| layer + 1), false);
        let found = evaluate(self);
        let differs = self.differs;
        (self.layer, self.differs) = outer;
        (found, differs)
    }

    fn evaluate(&mut self, expr: &Expr) -> Option<f64> {
        match &expr.kind {
            ExprKind::Number(number) => match number.unit {
                None | Some(Unit::Percent) => Some(number.value),
                Some(Unit::Tokens | Unit::Steps) => {
                    let message =
                        format!("`{}` has a unit where a plain number is expected", self.quote(expr.span));
                    self.findings.push(
                        Diagnostic::error("not-a-number", message)
                            .at(expr.span, "an amount of tokens or steps")
                            .help(format!("write `{}`", number.text)),
                    );
                    None
                }
            },
            ExprKind::Group(inner) => self.number(inner),
            ExprKind::Negate(inner) => self.number(inner).map(|value| -value),
            ExprKind::Binary { operator, left, right } => {
                let left = self.number(left);
                let right = self.number(right);
                Some(arithmetic::operate(*operator, left?, right?))
            }
            ExprKind::Name(path) => match super::path::single(path) {
                Some((name, span)) => self.lookup(&name, span),
                None => self.not_a_number(expr),
            },
            ExprKind::Call { callee, arguments } => {
                let Some((name, span)) = super::path::single(callee) else {
                    return self.not_a_number(expr);
                };
                let values: Vec<Option<f64>> =
                    arguments.iter().map(|argument| self.number(argument)).collect();
                self.call(&name, span, &values.into_iter().collect::<Option<Vec<f64>>>()?)
            }
            ExprKind::String(_) | ExprKind::Record { .. } | ExprKind::Tuple(_) => self.not_a_number(expr),
        }
    }

    fn not_a_number(&mut self, expr: &Expr) -> Option<f64> {
        let message = format!("`{}` is not a number", self.quote(expr.span));
        let help = if let ExprKind::String(text) = &expr.kind {
            format!("numbers and words stand without quotes: `{text}`")
        } else {
            "write a number such as `768`, `50_304` or `1e-5`, or an expression of numbers and settings"
                .to_owned()
        };
        self.findings.push(
            Diagnostic::error("not-a-number", message).at(expr.span, "a number is expected here").help(help),
        );
        None
    }

    fn call(&mut self, name: &str, span: Span, values: &[f64]) -> Option<f64> {
        self.is_function(name, span, values.len()).then(|| arithmetic::call(name, values)).flatten()
    }

    /// Whether there is a function of numbers of that name and as many arguments; false after a diagnostic.
    pub fn is_function(&mut self, name: &str, span: Span, num_arguments: usize) -> bool {
        let Some((_, inputs)) = FUNCTIONS.into_iter().find(|(known, _)| *known == name) else {
            let names = FUNCTIONS.map(|(known, _)| known);
            let mut finding =
                Diagnostic::error("unknown-function", format!("no function of numbers is called `{name}`"))
                    .at(span, "unknown");
            if let Some(close) = did_you_mean(name, names) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            self.findings.push(finding.help(format!("functions of numbers: {}", super::list(&names))));
            return false;
        };
        if inputs.len() != num_arguments {
            self.findings.push(wrong_arguments(name, span, inputs, num_arguments));
            return false;
        }
        true
    }

    /// The value that a name stands for.
    pub fn lookup(&mut self, name: &str, span: Span) -> Option<f64> {
        if name == "layers" {
            if self.num_layers.is_none() && self.open.iter().any(|open| open == "stack") {
                self.circular("layers", span);
            }
            return self.num_layers.map(|count| count as f64);
        }
        if name == "layer" {
            self.differs = true;
            if self.layer.is_none() {
                self.outside(span);
            }
            return self.layer.map(|layer| layer as f64);
        }
        if !self.used.contains(name) {
            self.used.insert(name.to_owned());
        }
        for layer in [None, self.layer] {
            if let Some(known) = self.known.get(&(name.to_owned(), layer)) {
                self.differs |= known.differs;
                return known.value;
            }
        }
        if self.open.iter().any(|open| open == name) {
            self.circular(name, span);
            return None;
        }
        self.open.push(name.to_owned());
        let outer = std::mem::take(&mut self.differs);
        let faults = self.findings.len();
        let value = self.setting(name, span);
        let differs = std::mem::replace(&mut self.differs, outer);
        self.differs |= differs;
        if !differs {
            self.common.extend(self.findings.split_off(faults.min(self.findings.len())));
        }
        self.open.pop();
        let layer = self.layer.filter(|_| differs);
        self.known.insert((name.to_owned(), layer), Known { value, differs });
        value
    }

    /// `layer` is asked for where there is none.
    fn outside(&mut self, span: Span) {
        let message = match (&self.outsider, self.open.as_slice()) {
            (Some(part), _) => {
                format!("`layer` has no value in what is set of `{part}`, which is used outside the layers")
            }
            (None, [only]) => format!("`layer` has no value in `{only}`, which is not of a layer"),
            (None, [first, .., last]) => {
                format!("`layer` has no value in `{first}`, which is not of a layer but asks for `{last}`")
            }
            (None, []) => "`layer` has no value here".to_owned(),
        };
        let finding =
            Diagnostic::error("unknown-name", message).at(span, "the depth is known only inside a layer");
        self.findings.push(finding.help(
            "use it in a layer's equations, in settings of parts that layers alone use, or in a rule; the number of layers is `layers`",
        ));
    }

    /// Whether a name of one word stands for a number, sound or not.
    pub fn is_known(&self, name: &str) -> bool {
        let is_setting = self.draft.settings.contains_key(name) && !OTHER_SETTINGS.contains(&name);
        is_setting
            || NUMERIC_SETTINGS.contains(&name)
            || ["layer", "layers"].contains(&name)
            || name.contains('.')
    }

    /// Evaluates `stack`'s numbers, in which `layers` would be circular.
    pub fn in_stack<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        self.open.push("stack".to_owned());
        let result = evaluate(self);
        self.open.pop();
        result
    }

    fn setting(&mut self, name: &str, span: Span) -> Option<f64> {
        let entry = self.draft.settings.get(name).copied();
        let is_number = !OTHER_SETTINGS.contains(&name);
        if let Some(entry) = entry.filter(|_| is_number) {
            return match entry.given {
                Given::Value(expr) => self.number(expr),
                Given::Present => self.unknown_name(name, span),
            };
        }
        if let Some((part_draft, setting)) = self.draft.part_of(name)
            && let Some(kind) = part::kind(&part_draft.kind.text)
            && let Some(setting) = kind.settings.iter().find(|known| known.name == setting)
        {
            return match setting.preset {
                Preset::Number(value) => Some(value),
                Preset::Derived { compute, .. } => {
                    let part = &part_draft.name.text;
                    compute(&mut |sibling| self.sibling(part, sibling, span))
                }
                // What is missing is reported where the part is read.
                Preset::Required => None,
                Preset::Absent | Preset::Inherited | Preset::Word(_) => self.unknown_name(name, span),
            };
        }
        if name == EMBED_WIDTH {
            return self.lookup("width", span);
        }
        if NUMERIC_SETTINGS.contains(&name) && name != DOCUMENT_END {
            // Reported once, as a missing setting.
            return None;
        }
        self.unknown_name(name, span)
    }

    /// A setting of the same part, or of the model.
    pub fn sibling(&mut self, part: &str, name: &str, span: Span) -> Option<f64> {
        if NUMERIC_SETTINGS.contains(&name) {
            self.lookup(name, span)
        } else {
            self.lookup(&format!("{part}.{name}"), span)
        }
    }

    fn circular(&mut self, name: &str, span: Span) {
        let chain: Vec<String> =
            self.open.iter().skip_while(|open| *open != name).map(|open| format!("`{open}`")).collect();
        let chain = if chain.is_empty() { "`stack`".to_owned() } else { chain.join(" → ") };
        self.findings.push(
            Diagnostic::error("circular-setting", format!("`{name}` depends on itself: {chain} → `{name}`"))
                .at(span, "needs its own value")
                .help("give one of them a number"),
        );
    }

    fn unknown_name(&mut self, name: &str, span: Span) -> Option<f64> {
        if ["on", "off", "none", "true", "false"].contains(&name) {
            self.findings.push(
                Diagnostic::error("not-a-number", format!("`{name}` is a word where a number is expected"))
                    .at(span, "not a number")
                    .help("write a number, such as `0` or `0.1`"),
            );
            return None;
        }
        if FANS.contains(&name) {
            self.findings.push(
                Diagnostic::error("unknown-name", format!("`{name}` has no value here"))
                    .at(span, "only a matrix has it")
                    .help("use it in a rule, such as `init normal(1 / sqrt(fan_in)) on weight`"),
            );
            return None;
        }
        if name == "position" {
            self.findings.push(
                Diagnostic::error("unknown-name", "`position` has no value here")
                    .at(span, "only what multiplies a value has it")
                    .help("use it in an equation, as a factor of a value: `q(n) * log(2 + position)`"),
            );
            return None;
        }
        let mut names: Vec<String> = NUMERIC_SETTINGS.map(str::to_owned).to_vec();
        names.push("layers".to_owned());
        names.extend(
            self.draft.settings.keys().filter(|key| !OTHER_SETTINGS.contains(&key.as_str())).cloned(),
        );
        let mut finding =
            Diagnostic::error("unknown-name", format!("`{name}` is not a number that is known here"))
                .at(span, "not a numeric setting or constant of this model");
        if let Some(close) = did_you_mean(name, names.iter().map(String::as_str)) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        let constant = if name.contains('.') {
            String::new()
        } else {
            format!("; `{name} = …` in the model declares it")
        };
        let help = format!(
            "known are `width`, `vocab`, `context`, `layers`, and settings such as `PART.heads`{constant}"
        );
        self.findings.push(finding.help(help));
        None
    }
}

/// A function is given too few or too many arguments; an ellipsis at the end of `inputs` stands for any number more.
pub fn wrong_arguments(name: &str, span: Span, inputs: &[&str], given: usize) -> Diagnostic {
    let expected = match inputs {
        [_] => "1 argument".to_owned(),
        [least @ .., "…"] => format!("{} or more arguments", least.len()),
        inputs => format!("{} arguments", inputs.len()),
    };
    Diagnostic::error("wrong-arguments", format!("`{name}` takes {expected}, not {given}"))
        .at(span, format!("given {given}"))
        .help(format!("write `{name}({})`", inputs.join(", ")))
}

/// Whether one of `words` stands in the expression.
pub fn names_one_of(expr: &Expr, words: &[&str], depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    let inside = |expr: &Expr| names_one_of(expr, words, depth + 1);
    match &expr.kind {
        ExprKind::Name(path) => {
            super::path::single(path).is_some_and(|(name, _)| words.contains(&name.as_str()))
        }
        ExprKind::Call { arguments, .. } => arguments.iter().any(inside),
        ExprKind::Tuple(items) => items.iter().any(inside),
        ExprKind::Negate(inner) | ExprKind::Group(inner) => inside(inner),
        ExprKind::Binary { left, right, .. } => inside(left) || inside(right),
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Record { .. } => false,
    }
}
