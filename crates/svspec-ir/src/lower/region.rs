//! One region while it is built: nodes are added in order, each with a name of its own.

use super::parameters::{Conflict, Home, NewParam};
use super::{FIRST_LAYER, Lowering};
use crate::op::Input;
use crate::op::choose::{CHOSEN, channel_dims};
use crate::resolve::{HeadWeight, LARGEST_COUNT, Part};
use crate::{Dim, Dims, Node, Op, ParamId, Region, RegionId, RegionKind, SideLoss, SideValue, ValueId};
use std::collections::{BTreeMap, BTreeSet};
use svspec_diagnostics::{Diagnostic, Span};

/// Adds nodes to one region.
pub struct RegionBuilder<'l, 'r> {
    pub(super) lowering: &'l mut Lowering<'r>,
    pub(super) region: RegionId,
    pub(super) kind: RegionKind,
    nodes: Vec<Node>,
    names: BTreeSet<String>,
    values: BTreeMap<String, ValueId>,
    pub(super) side: Vec<SideValue>,
    pub(super) losses: Vec<SideLoss>,
    experts: Option<Experts>,
    /// Where the part that is being expanded was applied.
    application: Option<Span>,
}

/// What is applied to copies of tokens, each expert with parameters of its own.
struct Experts {
    /// How many there are.
    dim: Dim,
    /// Which of them each copy is given to.
    chosen: ValueId,
}

impl<'l, 'r> RegionBuilder<'l, 'r> {
    /// An empty region.
    pub(super) fn new(lowering: &'l mut Lowering<'r>, region: RegionId, kind: RegionKind) -> Self {
        Self {
            lowering,
            region,
            kind,
            nodes: Vec::new(),
            names: BTreeSet::new(),
            values: BTreeMap::new(),
            side: Vec::new(),
            losses: Vec::new(),
            experts: None,
            application: None,
        }
    }

    /// The region, complete.
    pub(super) fn finish(self, name: &str, family: &str, output: ValueId) -> Region {
        Region {
            name: name.to_owned(),
            family: family.to_owned(),
            kind: self.kind,
            nodes: self.nodes,
            output,
            side: self.side,
            losses: self.losses,
        }
    }

    /// What `build` makes, with a set of parameters for each expert.
    pub(super) fn as_experts<T>(
        &mut self,
        dim: Dim,
        chosen: ValueId,
        build: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.experts = Some(Experts { dim, chosen });
        let made = build(self);
        self.experts = None;
        made
    }

    /// The dimension of the experts that are being made.
    pub(super) fn expert_dim(&self) -> Option<Dim> {
        self.experts.as_ref().map(|experts| experts.dim.clone())
    }

    /// Which experts the copies are given to that are being made something of.
    pub(super) fn chosen(&self) -> Option<ValueId> {
        self.experts.as_ref().map(|experts| experts.chosen)
    }

    /// A value from outside, known to the equations by its name.
    pub(super) fn input(&mut self, name: &str, input: Input, dims: Dims, span: Span) -> Option<ValueId> {
        let value = self.node(name, Op::Input(input), Vec::new(), dims, "", span)?;
        self.assign(name, value);
        Some(value)
    }

    /// Makes `name` stand for `value` in the equations that follow.
    pub(super) fn assign(&mut self, name: &str, value: ValueId) {
        self.values.insert(name.to_owned(), value);
    }

    /// The value that an equation's name stands for.
    pub(super) fn value(&self, name: &str) -> Option<ValueId> {
        self.values.get(name).copied()
    }

    /// Adds a node; its name gets a number if it is taken.
    pub fn node(
        &mut self,
        name: &str,
        op: Op,
        inputs: Vec<ValueId>,
        dims: Dims,
        part: &str,
        span: Span,
    ) -> Option<ValueId> {
        let size: f64 = dims.iter().map(|dim| dim.size as f64).product();
        if size > LARGEST_COUNT {
            let message = format!("one token's value would have {size:.3e} entries: `{}`", dims_text(&dims));
            self.report(
                Diagnostic::error("too-large", message)
                    .at(span, "this value")
                    .help(format!("the most is {LARGEST_COUNT}; check the digits of the settings")),
            );
            return None;
        }
        let is_of_copies = dims.first().is_some_and(|dim| dim.name == CHOSEN);
        let is_of_channels = !op.operation().mixes_tokens() && !matches!(op, Op::View(_));
        if self.experts.is_some() && !(is_of_copies && is_of_channels) {
            return self.not_an_expert(if part.is_empty() { name } else { part }, span);
        }
        let name = self.fresh(name);
        self.nodes.push(Node { name, op, inputs, dims, part: part.to_owned(), span });
        Some(ValueId(self.nodes.len() - 1))
    }

    /// Says that a part, or a value, is of more than the channels of one token.
    pub(super) fn not_an_expert<T>(&mut self, what: &str, span: Span) -> Option<T> {
        self.report(
            Diagnostic::error("not-an-expert", format!("`{what}` cannot be an expert"))
                .at(span, "more than the channels of one token")
                .help("an expert is a feed-forward part, or a part of a kind that a file defines"),
        );
        None
    }

    /// Adds a node whose output has its only input's dimensions.
    pub fn same_dims(
        &mut self,
        name: &str,
        op: Op,
        input: ValueId,
        part: &str,
        span: Span,
    ) -> Option<ValueId> {
        let dims = self.dims(input).to_vec();
        self.node(name, op, vec![input], dims, part, span)
    }

    /// A value's name.
    pub(super) fn node_name(&self, value: ValueId) -> &str {
        self.nodes.get(value.0).map_or("", |node| node.name.as_str())
    }

    /// A value's dimensions.
    pub fn dims(&self, value: ValueId) -> &[Dim] {
        self.nodes.get(value.0).map_or(&[], |node| node.dims.as_slice())
    }

    /// A part as it is in this region.
    pub(super) fn part(&self, index: usize) -> Option<&'r Part> {
        let resolved = self.lowering.resolved;
        let kind = self.region.0.checked_sub(FIRST_LAYER).and_then(|kind| resolved.kinds.get(kind));
        kind.and_then(|kind| kind.parts.get(&index)).or_else(|| resolved.parts.get(index))
    }

    /// The first layer, from 0, of this kind; `None` outside the stack.
    pub(super) fn depth(&self) -> Option<usize> {
        self.lowering.resolved.first_depth(self.region)
    }

    /// The longest sequence trained on.
    pub fn context(&self) -> usize {
        self.lowering.resolved.context
    }

    /// The residual stream's dimension.
    pub fn width_dim(&self) -> Dim {
        Dim::new("width", self.lowering.resolved.width)
    }

    /// The channels of the embedding table.
    pub fn embed_dim(&self) -> Dim {
        let resolved = self.lowering.resolved;
        if resolved.embed_width == resolved.width {
            return self.width_dim();
        }
        Dim::new("embed_width", resolved.embed_width)
    }

    /// The logits' dimension.
    pub fn vocab_dim(&self) -> Dim {
        Dim::new("vocab", self.lowering.resolved.vocab)
    }

    /// The dimension of a linear map's output: the model's own name for it where the size is one that has a name.
    pub fn out_dim(&self, part: &str, size: usize) -> Dim {
        let known = [self.width_dim(), self.vocab_dim()].into_iter().find(|dim| dim.size == size);
        known.unwrap_or_else(|| Dim::new(part.replace('.', "_"), size))
    }

    /// The dimension of `size` channels: of a head, or, of a flat value, the model's own name for it.
    pub(super) fn channels_dim(&self, leading: &[Dim], size: usize) -> Dim {
        if leading.is_empty() { self.out_dim("channels", size) } else { Dim::new("head_dim", size) }
    }

    /// The embedding table, if the head is tied to it.
    pub fn tied_table(&self) -> Option<ParamId> {
        match self.lowering.resolved.head {
            HeadWeight::Own => None,
            HeadWeight::Embedding => self.lowering.parameters.find(Home::Model, "embed.weight"),
        }
    }

    /// Where the parameters of parts used in this region live.
    pub(super) fn home(&self) -> Home {
        match self.kind {
            RegionKind::Layer => Home::Layer(self.region),
            RegionKind::Embed | RegionKind::Head | RegionKind::Loss => Home::Model,
        }
    }

    /// Makes or finds a parameter.
    pub(super) fn param(&mut self, new: NewParam) -> Option<ParamId> {
        let (path, dims, span) = (new.path.clone(), dims_text(&new.dims), new.span);
        match self.lowering.parameters.param(self.home(), self.region, new) {
            Ok(id) => Some(id),
            Err(conflict) => {
                self.conflict(&path, &dims, &conflict, span);
                None
            }
        }
    }

    /// Says that a part is used with values of two shapes.
    pub(super) fn conflict(&mut self, path: &str, dims: &str, conflict: &Conflict, span: Span) {
        let known = dims_text(&conflict.0);
        self.report(
            Diagnostic::error("dimension-mismatch", format!("`{path}` would be both `{known}` and `{dims}`"))
                .at(span, "used with values of two sizes")
                .help("using a part twice shares its parameters; declare a second part for the other size"),
        );
    }

    /// The nodes of a part, applied to `values` at `span`.
    pub(super) fn apply(&mut self, part: &Part, values: &[ValueId], span: Span) -> Option<ValueId> {
        self.application = Some(span);
        let value = (part.kind.expand)(self, part, values);
        self.application = None;
        value
    }

    /// Where the part that is being expanded was applied.
    pub fn application(&self) -> Option<Span> {
        self.application
    }

    /// Notes a fault of the values that a part was given: it is where the part was applied.
    pub fn report_given(&mut self, part: &Part, message: String, label: &str, cure: &str) {
        let finding = Diagnostic::error("dimension-mismatch", message);
        let finding = match self.application {
            Some(span) => finding.at(span, label).because(part.span, format!("of kind `{}`", part.kind.name)),
            None => finding.at(part.span, label),
        };
        self.report(finding.help(cure));
    }

    /// Notes a fault.
    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.lowering.findings.push(finding);
    }

    /// Checks that what an expert makes of a copy of a token can be summed to the residual stream.
    pub(super) fn expect_copy(&mut self, part: &Part, value: ValueId) -> Option<()> {
        let width = self.width_dim();
        if let [_, dim] = self.dims(value)
            && dim.size == width.size
        {
            return Some(());
        }
        let found = dims_text(channel_dims(self.dims(value)));
        let message = format!(
            "an expert of `{}` makes `{found}`; the residual stream is `[width {}]`",
            part.name, width.size
        );
        self.report(
            Diagnostic::error("dimension-mismatch", message)
                .at(part.place("expert"), found)
                .help(format!("name a part whose output has {} channels", width.size)),
        );
        None
    }

    /// Checks that a value can be the residual stream.
    pub(super) fn expect_width(&mut self, name: &str, value: ValueId, span: Span) -> Option<()> {
        let width = self.width_dim();
        let found = dims_text(self.dims(value));
        if let [dim] = self.dims(value)
            && dim.size == width.size
        {
            return Some(());
        }
        let message =
            format!("`{name}` would become `{found}`; the residual stream is `[width {}]`", width.size);
        self.report(
            Diagnostic::error("dimension-mismatch", message)
                .at(span, found)
                .help(format!("end with a part whose output has {} channels", width.size)),
        );
        None
    }

    /// Checks that a value can be multiplied with the embedding table.
    pub(super) fn expect_embed_width(&mut self, value: ValueId) -> Option<()> {
        let span = self.lowering.resolved.logits.span;
        let embed = self.embed_dim();
        let found = dims_text(self.dims(value));
        if let [dim] = self.dims(value)
            && dim.size == embed.size
        {
            return Some(());
        }
        let message = format!(
            "the tied head is given `{found}`; the embedding table has `[{} {}]`",
            embed.name, embed.size
        );
        self.report(
            Diagnostic::error("dimension-mismatch", message).at(span, "`tie_embeddings` is on").help(
                format!(
                    "apply `unembed` to a value of {} channels, or write `tie_embeddings = off`",
                    embed.size
                ),
            ),
        );
        None
    }

    fn fresh(&mut self, name: &str) -> String {
        let mut base: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        if RUST_WORDS.contains(&base.as_str()) {
            base.push('_');
        }
        let numbered = (1..).map(|number| format!("{base}_{number}"));
        let free = std::iter::once(base.clone()).chain(numbered).find(|name| !self.names.contains(name));
        let name = free.unwrap_or(base);
        self.names.insert(name.clone());
        name
    }
}

/// Words that cannot name a variable of the generated code.
const RUST_WORDS: [&str; 53] = [
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
    "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// `[heads 4, head_dim 32]`
pub(super) fn dims_text(dims: &[Dim]) -> String {
    let dims: Vec<String> = dims.iter().map(|dim| format!("{} {}", dim.name, dim.size)).collect();
    format!("[{}]", dims.join(", "))
}
