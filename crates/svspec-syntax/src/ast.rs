//! The syntax tree: what the file says, before any name in it is understood.
//!
//! Every node has a span. Comments are kept on the statement they belong to, for the formatter.

use svspec_diagnostics::Span;

/// A word with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// The comments around a statement, each without its `//` or `///` and surrounding space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trivia {
    /// `//` lines before it; an empty `None` is one blank line kept between groups.
    pub leading: Vec<Option<String>>,
    /// `///` lines before it: the documentation.
    pub doc: Vec<String>,
    /// A `//` comment at the end of its (first) line.
    pub trailing: Option<String>,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// The number after `svspec` on the first line; `None` if the line is missing (a diagnostic was made).
    pub version: Option<(u64, Span)>,
    /// Comments around the version line.
    pub version_trivia: Trivia,
    /// The blocks, in order.
    pub items: Vec<Item>,
    /// Comments after the last block.
    pub trailing: Vec<Option<String>>,
}

/// A top-level block.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Comments and documentation.
    pub trivia: Trivia,
    /// What it is.
    pub kind: ItemKind,
    /// The whole block.
    pub span: Span,
}

/// The kinds of top-level block.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `import "llama.svspec"`: that file's models, variants, optimizer and train block.
    Import {
        /// The path, relative to the importing file.
        path: String,
        /// Where the path stands.
        path_span: Span,
    },
    /// `part NAME(x, …) { … }`: a kind of part that is made of others.
    Part(PartDefinition),
    /// `model NAME { … }`
    Model {
        /// Its name.
        name: Ident,
        /// Its statements.
        body: Body,
    },
    /// `variant NAME of BASE with A, B { … }`: the base, then A's and B's statements, then its own.
    Variant {
        /// Its name.
        name: Ident,
        /// The model or variant it changes.
        base: Ident,
        /// Variants whose statements it takes over, in order.
        with: Vec<Ident>,
        /// Its own statements.
        body: Body,
    },
    /// `optimizer adamw { … }`
    Optimizer(OptimizerBlock),
    /// `train { … }`
    Train(Body),
}

/// `part NAME(x, …) { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct PartDefinition {
    /// The kind that it declares.
    pub name: Ident,
    /// The names of the values that it is applied to.
    pub inputs: Vec<Ident>,
    /// Settings, parts, placements and equations; the last equation is the result.
    pub body: Body,
}

/// Statements between braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// In order.
    pub statements: Vec<Statement>,
    /// Comments before the closing brace.
    pub trailing: Vec<Option<String>>,
    /// The braces and what is between.
    pub span: Span,
}

/// `optimizer NAME? { … }`; in a variant the name may be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerBlock {
    /// The algorithm, such as `adamw`.
    pub algorithm: Option<Ident>,
    /// Settings and rules.
    pub body: Body,
}

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Comments and documentation.
    pub trivia: Trivia,
    /// What it says.
    pub kind: StatementKind,
    /// The whole statement.
    pub span: Span,
}

/// The kinds of statement. Which of them a block may hold is checked by the resolver, not the grammar.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `width = 768`, `attn.heads = 12`, `x = x + attn(attn_norm(x))`, `stack = 12 * layer`
    Setting {
        /// What is set.
        path: Path,
        /// To what.
        value: Expr,
    },
    /// `rope { theta = 10_000 }` or the bare flag `causal`: a setting that is a block or nothing.
    Block {
        /// Its name.
        name: Ident,
        /// Its settings; `None` for a bare flag.
        body: Option<Body>,
    },
    /// `rms_norm attn_norm, mlp_norm { eps = 1e-5 }`
    Part {
        /// `attention`, `swiglu`, `rms_norm`, …
        kind: Ident,
        /// One part each.
        names: Vec<Ident>,
        /// Settings for all of them; `None` if there are no braces.
        body: Option<Body>,
    },
    /// `layer { … }` or `layer local { … }`: equations.
    Layer {
        /// The name used in `stack`; `layer` if left out.
        name: Option<Ident>,
        /// The equations.
        body: Body,
    },
    /// `tensors huggingface { embed.weight = "model.embed_tokens.weight" }`: names in checkpoints of other software.
    Tensors {
        /// Whose names they are.
        name: Ident,
        /// A setting for each tensor or list of tensors, and `layer` blocks for one kind of layer.
        body: Body,
    },
    /// `attn.{q, k}, mlp.up : out normalize(head) + scale`
    Placement {
        /// Where.
        targets: Vec<Path>,
        /// What.
        form: Form,
    },
    /// `decay 0.1 on scale where role == input and layer < 4`
    Rule(Rule),
    /// `optimizer { … }` within a variant: settings and rules added after the base's.
    Optimizer(OptimizerBlock),
    /// `train { … }` within a variant: settings that replace the base's.
    Train(Body),
}

/// `attn.{q, k}`: a dotted name whose segments may be lists. `attn.q` has two lists of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The segments, each at least one word.
    pub segments: Vec<Vec<Ident>>,
    /// The whole path.
    pub span: Span,
}

/// What a placement puts at its targets: `out normalize(head) + scale { init = 0.1 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// `in` or `out`; `None` when the target is a part or the word `scale`.
    pub port: Option<(Port, Span)>,
    /// The terms in order of application.
    pub terms: Vec<Term>,
    /// The whole form.
    pub span: Span,
}

/// The side of a linear map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Before it.
    In,
    /// After it.
    Out,
}

/// `normalize(head)`, `scale { init = 0 }`, `magnitude_direction`, `none`.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The word.
    pub name: Ident,
    /// What stands in parentheses.
    pub arguments: Vec<Expr>,
    /// What stands in braces.
    pub body: Option<Body>,
}

/// `VERB VALUE on SELECTORS where CONDITIONS`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `decay`, `lr`, `init`, `clip`, `betas`.
    pub verb: Ident,
    /// `0.1`, `normal(0.02)`, `off`.
    pub value: Expr,
    /// Kinds (`weight`, `scale`, …) or name paths, any of which may match.
    pub selectors: Vec<Path>,
    /// All of which must hold.
    pub conditions: Vec<Condition>,
}

/// `role == input`, `layer < 4`, or the bare word `absorbable`, or `not absorbable`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The attribute.
    pub attribute: Ident,
    /// The comparison and its right side; `None` for a bare word.
    pub test: Option<(Comparison, Expr)>,
    /// Whether `not` stands before it.
    pub negated: bool,
    /// The whole condition.
    pub span: Span,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of value.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `50_304`, `2.5B tokens`, `1%`
    Number(Number),
    /// `"text"`
    String(String),
    /// `width`, `attn.heads`
    Name(Path),
    /// `attn(attn_norm(x))`, `sqrt(width)`, `normal(0.02)`
    Call {
        /// What is called.
        callee: Path,
        /// With what.
        arguments: Vec<Expr>,
    },
    /// `wsd { warmup = 1% }`
    Record {
        /// Its name.
        name: Ident,
        /// Its settings.
        body: Body,
    },
    /// `(0.9, 0.95)`
    Tuple(Vec<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `a + b`
    Binary {
        /// The operator.
        operator: Operator,
        /// Its left side.
        left: Box<Expr>,
        /// Its right side.
        right: Box<Expr>,
    },
    /// An expression in parentheses, kept for the formatter.
    Group(Box<Expr>),
}

/// A binary operator, by rising precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// A number as written and as meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// As written, without the unit: `50_304`, `2.5B`, `1`.
    pub text: String,
    /// With `K`, `M`, `B` multiplied in; a percentage is divided by 100.
    pub value: f64,
    /// `tokens`, `steps` or `%`.
    pub unit: Option<Unit>,
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `tokens`
    Tokens,
    /// `steps`
    Steps,
    /// `%`
    Percent,
}
