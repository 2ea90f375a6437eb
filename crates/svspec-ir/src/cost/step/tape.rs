//! A region's forward and backward pass in a ledger: what each node takes, in order, and when it is given back.

use super::kept::kept;
use super::ledger::{Ledger, Purpose};
use super::values::{Value, of, values, weight_width};
use crate::op::Input;
use crate::op::Kept;
use crate::{Model, Node, Op, ParamId, Region, RegionId, RegionKind, dim};
use std::collections::{BTreeMap, BTreeSet};

/// A region with so many tokens.
#[derive(Debug)]
pub struct Tape<'a> {
    model: &'a Model,
    region: &'a Region,
    values: Vec<Value>,
    kept: Vec<Kept>,
    tokens: u128,
}

/// Gradients on their way.
#[derive(Debug, Default)]
struct Flow {
    buffers: Vec<Buffer>,
    /// The buffer of each value that has a gradient.
    of_values: BTreeMap<usize, usize>,
}

#[derive(Debug)]
struct Buffer {
    purpose: Purpose,
    bytes: u128,
    /// How many values, or nodes at work, have it.
    holders: usize,
}

impl<'a> Tape<'a> {
    /// The pass of `tokens` tokens through the region called `id`.
    pub fn new(model: &'a Model, id: RegionId, region: &'a Region, tokens: u128) -> Self {
        let values = values(model, region);
        let kept = |(index, node): (usize, &Node)| kept(model, (id, region), index, node, &values, tokens);
        let kept = region.nodes.iter().enumerate().map(kept).collect();
        Self { model, region, values, kept, tokens }
    }

    /// The bytes of what it hands on.
    pub fn output(&self) -> u128 {
        match self.region.kind {
            // One number for all tokens.
            RegionKind::Loss => 0,
            RegionKind::Embed | RegionKind::Layer | RegionKind::Head => {
                of(&self.values, self.region.output).map_or(0, |value| self.tokens * value.bytes())
            }
        }
    }

    /// The bytes of what it is given by the region before.
    pub fn input(&self) -> u128 {
        let is_carried = |node: &Node| matches!(node.op, Op::Input(Input::Carried));
        let carried = self.region.nodes.iter().position(is_carried).and_then(|index| self.values.get(index));
        carried.map_or(0, |value| self.tokens * value.bytes())
    }

    /// Whether its derivative reads what it is given.
    pub fn keeps_carried(&self) -> bool {
        let is_carried = |root: &usize| {
            self.region.nodes.get(*root).is_some_and(|node| matches!(node.op, Op::Input(Input::Carried)))
        };
        self.live().any(|index| self.kept.get(index).is_some_and(|kept| kept.roots.iter().any(is_carried)))
    }

    /// Whether its derivative reads what it hands on.
    pub fn keeps_output(&self) -> bool {
        self.output_root().is_some_and(|root| self.first_keepers().contains_key(&root))
    }

    /// The forward pass. What it hands on stays taken, as logits or as at work; of the rest what the backward pass needs.
    pub fn forward(&self, ledger: &mut Ledger) {
        for index in self.live() {
            let (Some(kept), Some(value)) = (self.kept.get(index), self.values.get(index)) else { continue };
            ledger.take(self.purpose(index), self.storage(index, value));
            ledger.take(Purpose::WeightCopies, kept.weight_copies);
            ledger.take(self.kept_purpose(index), kept.own);
            ledger.pass(self.purpose(index), kept.forward);
        }
        let keepers = self.first_keepers();
        for index in self.live() {
            let Some(value) = self.values.get(index) else { continue };
            if Some(index) == self.output_root() {
                continue;
            }
            if keepers.contains_key(&index) {
                ledger.turn(self.purpose(index), self.kept_purpose(index), self.storage(index, value));
            } else {
                ledger.give(self.purpose(index), self.storage(index, value));
            }
        }
    }

    /// Gives back what [`Self::forward`] kept, as without gradients.
    pub fn forget(&self, ledger: &mut Ledger) {
        let keepers = self.first_keepers();
        for index in self.live() {
            self.give_own(index, ledger);
            if keepers.contains_key(&index) && Some(index) != self.output_root() {
                let bytes = self.values.get(index).map_or(0, |value| self.storage(index, value));
                ledger.give(self.kept_purpose(index), bytes);
            }
        }
    }

    /// The backward pass, from the gradient of the output, which is taken already, to that of what it was given, which is
    /// left so. Gradients of parameters are taken and stay, each once; the bytes of these are the result.
    pub fn backward(&self, ledger: &mut Ledger) -> u128 {
        let keepers = self.first_keepers();
        let mut flow = Flow::default();
        let start = flow.add(self.purpose(self.region.output.0), self.output());
        flow.share(self.region.output.0, start, ledger);
        let mut seen = BTreeSet::new();
        let mut of_params = 0;
        for index in self.live().rev() {
            let Some(node) = self.region.nodes.get(index) else { continue };
            if let Op::Input(Input::Carried) = node.op {
                continue;
            }
            if let Some(gradient) = flow.of_values.remove(&index) {
                self.derive(node, gradient, &mut flow, ledger);
                let new: u128 = self
                    .params(node)
                    .iter()
                    .filter(|param| seen.insert(**param))
                    .map(|param| self.bytes_of(*param))
                    .sum();
                ledger.take(Purpose::Gradients, new);
                of_params += new;
                ledger.pass(self.purpose(index), self.kept.get(index).map_or(0, |kept| kept.backward));
                flow.drop(gradient, ledger);
            }
            self.give_own(index, ledger);
            for (root, _) in keepers.iter().filter(|(_, first)| **first == index) {
                if let Some(value) = self.values.get(*root).filter(|_| Some(*root) != self.output_root()) {
                    ledger.give(self.kept_purpose(*root), self.storage(*root, value));
                }
            }
        }
        of_params
    }

    /// What the derivative of one node makes of the gradient of its result.
    fn derive(&self, node: &Node, gradient: usize, flow: &mut Flow, ledger: &mut Ledger) {
        for &input in &node.inputs {
            let Some(value) = of(&self.values, input).filter(|value| value.has_gradient) else { continue };
            if matches!(node.op, Op::View(_) | Op::Add(_) | Op::Bias(_) | Op::ExpertBias(_) | Op::Concat(_)) {
                flow.share(input.0, gradient, ledger);
                continue;
            }
            if matches!(node.op, Op::Slice(_)) && flow.of_values.contains_key(&input.0) {
                // All slices of one value have one gradient.
                continue;
            }
            let (purpose, bytes) = (self.purpose(input.0), self.tokens * value.bytes());
            ledger.take(purpose, bytes);
            let new = flow.add(purpose, bytes);
            flow.share(input.0, new, ledger);
        }
    }

    fn give_own(&self, index: usize, ledger: &mut Ledger) {
        if let Some(kept) = self.kept.get(index) {
            ledger.give(self.kept_purpose(index), kept.own);
            ledger.give(Purpose::WeightCopies, kept.weight_copies);
        }
    }

    fn live(&self) -> impl DoubleEndedIterator<Item = usize> {
        let live = self.values.iter().enumerate().filter(|(_, value)| value.is_live);
        live.map(|(index, _)| index)
    }

    /// For each root that some derivative reads, the first node that does, whose derivative is the last to.
    fn first_keepers(&self) -> BTreeMap<usize, usize> {
        let mut first = BTreeMap::new();
        for index in self.live() {
            for root in self.kept.get(index).into_iter().flat_map(|kept| &kept.roots) {
                first.entry(*root).or_insert(index);
            }
        }
        first
    }

    fn output_root(&self) -> Option<usize> {
        of(&self.values, self.region.output).map(|value| value.root)
    }

    /// The bytes of a node's own storage: none of a view, and none of what the region is given.
    fn storage(&self, index: usize, value: &Value) -> u128 {
        let is_none = |node: &Node| {
            matches!(
                node.op,
                Op::Input(_) | Op::Sinusoids(_) | Op::CrossEntropy(_) | Op::Balance(_) | Op::ZLoss(_)
            )
        };
        let has_storage = !self.region.nodes.get(index).is_some_and(is_none);
        if value.root == index && has_storage { self.tokens * value.bytes() } else { 0 }
    }

    fn purpose(&self, index: usize) -> Purpose {
        if self.is_of_logits(index) { Purpose::Logits } else { Purpose::Working }
    }

    fn kept_purpose(&self, index: usize) -> Purpose {
        if self.is_of_logits(index) { Purpose::Logits } else { Purpose::Activations }
    }

    /// Whether a value is of the head and has an entry for each token id, or is the loss of these.
    fn is_of_logits(&self, index: usize) -> bool {
        let has_vocab = |node: &Node| node.dims.iter().any(|dim| dim.name == "vocab");
        match self.region.kind {
            RegionKind::Loss => true,
            RegionKind::Head => self.region.nodes.get(index).is_some_and(has_vocab),
            RegionKind::Embed | RegionKind::Layer => false,
        }
    }

    fn params(&self, node: &Node) -> Vec<ParamId> {
        let op = node.op.operation();
        let of_scales = op.scales().into_iter().filter_map(|scale| self.model.scales.get(scale.0));
        let mut params: Vec<ParamId> = of_scales.flat_map(|scale| scale.params.iter().copied()).collect();
        params.extend(op.params());
        params
    }

    fn bytes_of(&self, param: ParamId) -> u128 {
        weight_width(self.model)
            * self.model.params.get(param.0).map_or(0, |param| dim::num_elements(&param.dims)) as u128
    }
}

impl Flow {
    /// A buffer that nothing holds yet.
    fn add(&mut self, purpose: Purpose, bytes: u128) -> usize {
        self.buffers.push(Buffer { purpose, bytes, holders: 0 });
        self.buffers.len() - 1
    }

    /// Adds a buffer to the gradient of a value: in place where no other value has the sum's buffer.
    fn share(&mut self, value: usize, buffer: usize, ledger: &mut Ledger) {
        if let Some(shared) = self.buffers.get_mut(buffer) {
            shared.holders += 1;
        }
        let Some(&known) = self.of_values.get(&value) else {
            self.of_values.insert(value, buffer);
            return;
        };
        match self.buffers.get(known) {
            Some(&Buffer { purpose, bytes, holders }) if holders > 1 => {
                ledger.take(purpose, bytes);
                let sum = self.add(purpose, bytes);
                self.of_values.insert(value, sum);
                self.buffers.iter_mut().skip(sum).for_each(|sum| sum.holders = 1);
                self.drop(known, ledger);
            }
            Some(_) | None => {}
        }
        self.drop(buffer, ledger);
    }

    fn drop(&mut self, buffer: usize, ledger: &mut Ledger) {
        if let Some(Buffer { purpose, bytes, holders }) = self.buffers.get_mut(buffer) {
            *holders = holders.saturating_sub(1);
            if *holders == 0 {
                ledger.give(*purpose, *bytes);
            }
        }
    }
}
