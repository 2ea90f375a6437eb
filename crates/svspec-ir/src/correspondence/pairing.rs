//! Two graphs walked side by side from their outputs: the tensors that meet, or a vector that must fold first, or the
//! first difference.

use super::alike::are_alike;
use super::difference::{self, Difference};
use super::{Correspondence, Source};
use crate::op::Scale;
use crate::{Instance, Model, Node, Op, Param, ParamId, RegionId, RegionKind, ScaleId, ValueId, dim};
use std::collections::{BTreeMap, BTreeSet};

/// Why two graphs do not meet.
pub(super) enum Fault {
    /// They compute different things.
    Differs(Difference),
    /// They may, once these vectors of ours are in weights.
    MustFold(Vec<ScaleId>),
}

/// What has met so far.
pub(super) struct Pairing<'a> {
    ours: &'a Model,
    theirs: &'a Model,
    folded: &'a BTreeSet<ScaleId>,
    met: Met,
}

#[derive(Clone, Default)]
struct Met {
    /// By tensor of theirs.
    params: BTreeMap<Instance, Instance>,
    /// By tensor of ours.
    taken: BTreeMap<Instance, Instance>,
    /// By vector of theirs and its layer: that of ours, or none, where ones go.
    scales: BTreeMap<(ScaleId, Option<usize>), Option<ScaleId>>,
    values: BTreeSet<(Block, ValueId, ValueId)>,
}

/// A region of ours and one of theirs, at one depth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    ours: RegionId,
    theirs: RegionId,
    layer: Option<usize>,
}

impl<'a> Pairing<'a> {
    pub(super) fn new(ours: &'a Model, theirs: &'a Model, folded: &'a BTreeSet<ScaleId>) -> Self {
        Self { ours, theirs, folded, met: Met::default() }
    }

    /// Walks every block up to the logits.
    pub(super) fn pair(&mut self) -> Result<(), Fault> {
        let (ours, theirs) = (self.ours.stack.len(), self.theirs.stack.len());
        if ours != theirs {
            return Err(Fault::Differs(Difference::Depth { ours, theirs }));
        }
        let only = |model: &Model, kind: RegionKind| {
            model.regions.iter().position(|region| region.kind == kind).map_or(RegionId(0), RegionId)
        };
        let outer = |kind: RegionKind| Block {
            ours: only(self.ours, kind),
            theirs: only(self.theirs, kind),
            layer: None,
        };
        let layers = self.ours.stack.iter().zip(&self.theirs.stack).enumerate();
        let layers = layers.map(|(layer, (&ours, &theirs))| Block { ours, theirs, layer: Some(layer) });
        let blocks: Vec<Block> = std::iter::once(outer(RegionKind::Embed))
            .chain(layers)
            .chain([outer(RegionKind::Head)])
            .collect();
        for block in blocks {
            let output = |model: &Model, region: RegionId| {
                model.regions.get(region.0).map_or(ValueId(0), |region| region.output)
            };
            let (a, b) = (output(self.ours, block.ours), output(self.theirs, block.theirs));
            self.values(block, a, b)?;
        }
        Ok(())
    }

    /// What met, for every tensor of the other model; one that nothing reads keeps its identity.
    pub(super) fn finish(self) -> Correspondence {
        let mut tensors: BTreeMap<Instance, Source> =
            self.met.params.iter().map(|(theirs, ours)| (*theirs, Source::Tensor(*ours))).collect();
        for (&(id, layer), &ours) in &self.met.scales {
            let Some(vector) = self.theirs.scales.get(id.0) else { continue };
            for (index, &param) in vector.params.iter().enumerate() {
                let form = vector.form;
                let source = match ours {
                    Some(scale) => Source::Gamma { scale, layer, form, index },
                    None => Source::Identity { form, index },
                };
                tensors.insert(self.theirs.instance(param, layer), source);
            }
        }
        Correspondence { folded: self.folded.iter().copied().collect(), tensors }
    }

    fn values(&mut self, block: Block, a: ValueId, b: ValueId) -> Result<(), Fault> {
        if self.met.values.contains(&(block, a, b)) {
            return Ok(());
        }
        let (Some(ours), Some(theirs)) = (node(self.ours, block.ours, a), node(self.theirs, block.theirs, b))
        else {
            return Ok(());
        };
        match (scale_of(ours), scale_of(theirs)) {
            (Some((scale, input)), _) if self.folded.contains(&scale) => self.values(block, input, b)?,
            (Some((scale, a)), Some((place, b))) => {
                self.place(block, (place, theirs), Some((scale, ours)))?;
                self.values(block, a, b)?;
            }
            (Some((scale, _)), None) => return Err(Fault::MustFold(vec![scale])),
            (None, Some((place, input))) => {
                self.place(block, (place, theirs), None)?;
                self.values(block, a, input)?;
            }
            (None, None) => self.nodes(block, ours, theirs)?,
        }
        self.met.values.insert((block, a, b));
        Ok(())
    }

    /// Puts a vector of ours, or ones, into a place of theirs; what cannot share a place must fold.
    fn place(
        &mut self,
        block: Block,
        (place, theirs): (ScaleId, &Node),
        ours: Option<(ScaleId, &Node)>,
    ) -> Result<(), Fault> {
        let id = ours.map(|(id, _)| id);
        if let Some((id, node)) = ours {
            let entries = |model: &Model, id: ScaleId, node: &Node| {
                let sizes = model.scales.get(id.0).map(|scale| dim::sizes(&scale.dims)).unwrap_or_default();
                dim::broadcast_channels(&sizes, &dim::sizes(&node.dims))
            };
            let fits = match (self.ours.scales.get(id.0), self.theirs.scales.get(place.0)) {
                (Some(a), Some(b)) => dim::broadcasts(&dim::sizes(&a.dims), &dim::sizes(&b.dims)),
                (None, _) | (_, None) => false,
            };
            if !fits || entries(self.ours, id, node).len() != entries(self.theirs, place, theirs).len() {
                return Err(Fault::MustFold(vec![id]));
            }
        }
        match self.met.scales.insert((place, block.layer), id) {
            Some(known) if known != id => Err(Fault::MustFold(known.into_iter().chain(id).collect())),
            Some(_) | None => Ok(()),
        }
    }

    fn nodes(&mut self, block: Block, ours: &Node, theirs: &Node) -> Result<(), Fault> {
        self.ops(block, ours, theirs)?;
        match (ours.inputs.as_slice(), theirs.inputs.as_slice()) {
            (&[a, b], &[c, d]) if matches!(ours.op, Op::Add(_) | Op::Mul(_)) => {
                let before = self.met.clone();
                let Err(fault) = self.values(block, a, c).and_then(|()| self.values(block, b, d)) else {
                    return Ok(());
                };
                let after = std::mem::replace(&mut self.met, before);
                match self.values(block, a, d).and_then(|()| self.values(block, b, c)) {
                    Ok(()) => Ok(()),
                    Err(swapped) => {
                        self.met = after;
                        Err(nearer(fault, swapped))
                    }
                }
            }
            (a, b) => a.iter().zip(b).try_for_each(|(&a, &b)| self.values(block, a, b)),
        }
    }

    /// The ops themselves, and the tensors that they read.
    fn ops(&mut self, block: Block, ours: &Node, theirs: &Node) -> Result<(), Fault> {
        let place = self.place_of(block);
        let differs =
            || Fault::Differs(difference::of_nodes(&place, (self.ours, ours), (self.theirs, theirs)));
        let (a, b) = (ours.op.operation().params(), theirs.op.operation().params());
        let is_same = are_alike(&ours.op, &theirs.op, block.layer);
        let has_same_sizes = dim::sizes(&ours.dims) == dim::sizes(&theirs.dims);
        if !is_same || !has_same_sizes || a.len() != b.len() || ours.inputs.len() != theirs.inputs.len() {
            return Err(differs());
        }
        for (&a, &b) in a.iter().zip(&b) {
            if sizes(self.ours, a) != sizes(self.theirs, b) {
                return Err(differs());
            }
            let (own, other) = (self.ours.instance(a, block.layer), self.theirs.instance(b, block.layer));
            let known = self.met.params.insert(other, own);
            let taken = self.met.taken.insert(own, other);
            if known.is_some_and(|known| known != own) || taken.is_some_and(|taken| taken != other) {
                return Err(Fault::Differs(Difference::Sharing {
                    place,
                    name: ours.name.clone(),
                    ours: self.ours.instance_name(own),
                    theirs: self.theirs.instance_name(other),
                }));
            }
        }
        Ok(())
    }

    fn place_of(&self, block: Block) -> String {
        match block.layer {
            Some(layer) => format!("layer {layer}"),
            None => self.ours.regions.get(block.ours.0).map_or(String::new(), |region| region.name.clone()),
        }
    }
}

/// Of the faults of two orders, the one with a way on.
fn nearer(first: Fault, second: Fault) -> Fault {
    match (first, second) {
        (Fault::Differs(_), Fault::MustFold(scales)) => Fault::MustFold(scales),
        (first, _) => first,
    }
}

fn node(model: &Model, region: RegionId, value: ValueId) -> Option<&Node> {
    model.regions.get(region.0)?.nodes.get(value.0)
}

fn scale_of(node: &Node) -> Option<(ScaleId, ValueId)> {
    match (&node.op, node.inputs.as_slice()) {
        (Op::Scale(Scale { scale }), &[input]) => Some((*scale, input)),
        (_, _) => None,
    }
}

fn sizes(model: &Model, param: ParamId) -> Vec<usize> {
    model.params.get(param.0).map(|param: &Param| dim::sizes(&param.dims)).unwrap_or_default()
}
