//! A resolved target in; a model, a typed data-flow graph with its parameters, out.

mod foreign;
mod formula;
pub mod function;
mod linear;
mod parameters;
pub mod part;
mod region;
mod settle;
mod side;
mod site;
mod stage;

use crate::op::{CrossEntropy, Input};
use crate::resolve::{LayerKind, Resolved, Told};
use crate::{Foreign, Model, Op, Region, RegionId, RegionKind};
use parameters::Parameters;
use region::{RegionBuilder, dims_text};
use side::Side;
use svspec_diagnostics::{Diagnostic, Span};

/// The region of the first kind of layer; the embedding's comes before it.
const FIRST_LAYER: usize = 1;

/// How many layers of the stack the region is.
fn num_layers(resolved: &Resolved, region: RegionId) -> usize {
    resolved.stack.iter().filter(|kind| FIRST_LAYER + **kind == region.0).count()
}

/// Expands every part to ops. Faults of shape and size are found here.
pub fn lower(resolved: &Resolved) -> Result<Model, Vec<Diagnostic>> {
    let mut lowering =
        Lowering { resolved, parameters: Parameters::default(), side: Side::default(), findings: Vec::new() };
    let head = RegionId(FIRST_LAYER + resolved.kinds.len());
    let mut regions: Vec<Option<Region>> = vec![lowering.embed()];
    regions.extend(lowering.layers());
    regions.push(lowering.head(head));
    regions.push(lowering.loss(RegionId(head.0 + 1)));
    lowering.findings.extend(lowering.parameters.too_many(resolved));
    let regions: Option<Vec<Region>> = regions.into_iter().collect();
    let foreign = match &regions {
        Some(_) => foreign::foreign(resolved, &lowering.parameters.params, &mut lowering.findings),
        None => Foreign::default(),
    };
    match regions {
        Some(mut regions) if lowering.findings.is_empty() => {
            let stack: Vec<RegionId> =
                resolved.stack.iter().map(|kind| RegionId(FIRST_LAYER + kind)).collect();
            site::of_queries_and_keys(&regions, &mut lowering.parameters.scales);
            settle::settle(&mut regions, &mut lowering.parameters.params, &stack);
            Ok(Model {
                name: resolved.name.clone(),
                doc: resolved.doc.clone(),
                lineage: resolved.lineage.clone(),
                vocab: resolved.vocab,
                context: resolved.context,
                width: resolved.width,
                document_end: resolved.document_end,
                regions,
                stack,
                side_values: lowering.side.names(),
                params: lowering.parameters.params,
                scales: lowering.parameters.scales,
                foreign,
                optimizer: resolved.optimizer,
                train: resolved.train,
            })
        }
        Some(_) | None => Err(lowering.findings),
    }
}

impl Resolved {
    /// The first layer, from 0, that a region is of; `None` outside the stack.
    fn first_depth(&self, region: RegionId) -> Option<usize> {
        let kind = region.0.checked_sub(FIRST_LAYER)?;
        self.stack.iter().position(|other| *other == kind)
    }
}

/// What is shared by the regions while they are built.
pub(crate) struct Lowering<'r> {
    resolved: &'r Resolved,
    parameters: Parameters,
    side: Side,
    findings: Vec<Diagnostic>,
}

impl Lowering<'_> {
    fn embed(&mut self) -> Option<Region> {
        let formula = &self.resolved.embed;
        let mut region = RegionBuilder::new(self, RegionId(0), RegionKind::Embed);
        region.input("tokens", Input::Tokens, Vec::new(), formula.span)?;
        let output = region.formula(formula, "x")?;
        region.expect_width("x", output, formula.span)?;
        Some(region.finish("embed", "embed", output))
    }

    /// A region for each kind of layer. What is wrong with several kinds of one layer is said once.
    fn layers(&mut self) -> Vec<Option<Region>> {
        let kinds = &self.resolved.kinds;
        let mut regions = Vec::new();
        for layer in 0..self.resolved.layers.len() {
            let mut told = Told::default();
            for (index, kind) in kinds.iter().enumerate().filter(|(_, kind)| kind.layer == layer) {
                let faults = self.findings.len();
                regions.push(self.layer(kind, RegionId(FIRST_LAYER + index)));
                let first = self.resolved.stack.iter().position(|kind| *kind == index);
                told.add(first.unwrap_or(0), self.findings.split_off(faults));
            }
            self.findings.extend(told.findings());
        }
        regions
    }

    fn layer(&mut self, kind: &LayerKind, id: RegionId) -> Option<Region> {
        let layer = self.resolved.layers.get(kind.layer)?;
        let mut region = RegionBuilder::new(self, id, RegionKind::Layer);
        let width = vec![region.width_dim()];
        let mut output = region.input("x", Input::Carried, width, layer.span)?;
        for equation in &layer.equations {
            let value = region.formula(&equation.formula, &equation.name)?;
            region.assign(&equation.name, value);
            if equation.name == "x" {
                region.expect_width("x", value, equation.formula.span)?;
                output = value;
            }
        }
        Some(region.finish(&kind.name, &layer.name, output))
    }

    fn head(&mut self, id: RegionId) -> Option<Region> {
        let formula = &self.resolved.logits;
        let mut region = RegionBuilder::new(self, id, RegionKind::Head);
        let width = vec![region.width_dim()];
        region.input("x", Input::Carried, width, formula.span)?;
        let output = region.formula(formula, "logits")?;
        let vocab = region.vocab_dim();
        let dims = region.dims(output).to_vec();
        if dims.len() != 1 || dims.first().is_none_or(|dim| dim.size != vocab.size) {
            let found = dims_text(&dims);
            let message = format!(
                "the logits are `{found}`; they have one entry per token id, `[vocab {}]`",
                vocab.size
            );
            self.findings.push(
                Diagnostic::error("dimension-mismatch", message)
                    .at(formula.span, found)
                    .help("write `logits = unembed(…)`"),
            );
            return None;
        }
        Some(region.finish("head", "head", output))
    }

    fn loss(&mut self, id: RegionId) -> Option<Region> {
        let span: Span = self.resolved.logits.span;
        let mut region = RegionBuilder::new(self, id, RegionKind::Loss);
        let vocab = vec![region.vocab_dim()];
        let logits = region.input("logits", Input::Carried, vocab, span)?;
        let targets = region.input("targets", Input::Targets, Vec::new(), span)?;
        let loss = region.node(
            "loss",
            Op::CrossEntropy(CrossEntropy),
            vec![logits, targets],
            Vec::new(),
            "",
            span,
        )?;
        region.side_losses()?;
        Some(region.finish("loss", "loss", loss))
    }
}
