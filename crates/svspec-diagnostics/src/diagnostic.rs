//! What is wrong, where, and what to write instead.

use crate::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The spec means something, but probably not what was meant; code is still generated.
    Warning,
    /// The spec has no meaning; nothing is generated.
    Error,
}

/// A place and what it has to do with the finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What stands there; may be empty.
    pub message: String,
}

/// One finding. Its message starts in lower case and has no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kebab-case name that `svc explain` takes, such as `heads-not-divisible`.
    pub name: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, with the values in it.
    pub message: String,
    /// The value at fault.
    pub primary: Option<Label>,
    /// What it conflicts with, in the order to show.
    pub secondary: Vec<Label>,
    /// What to write instead, and anything else worth knowing.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error called `name`.
    pub fn error(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Severity::Error, message)
    }

    /// A warning called `name`.
    pub fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Severity::Warning, message)
    }

    fn new(name: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            name,
            severity,
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Points at the value at fault.
    #[must_use]
    pub fn at(mut self, span: Span, message: impl Into<String>) -> Self {
        self.primary = Some(Label { span, message: message.into() });
        self
    }

    /// Points at a cause.
    #[must_use]
    pub fn because(mut self, span: Span, message: impl Into<String>) -> Self {
        self.secondary.push(Label { span, message: message.into() });
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}
