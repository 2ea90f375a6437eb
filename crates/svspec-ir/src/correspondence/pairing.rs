//! Two graphs walked side by side from their outputs: the tensors that meet, or a vector that must fold first, or the
//! first difference.

use super::alike::are_alike;
use super::difference::{self, Difference};
use super::{Correspondence, Known, Source, vectors};
use crate::{Instance, Model, Node, Op, Param, ParamId, RegionId, RegionKind, ScaleId, ValueId, dim};
use std::collections::{BTreeMap, BTreeSet};

/// Why two graphs do not meet.
pub(super) enum Fault {
    /// They compute different things.
    Differs(Difference),
    /// They may, once these vectors of ours are in weights.
    MustFold(MustFold),
}

/// Vectors of ours that have to go into weights, each with what stands against leaving it a vector.
pub(super) struct MustFold(pub Vec<(ScaleId, String)>);

impl MustFold {
    pub(super) fn one(scale: ScaleId, why: String) -> Fault {
        Fault::MustFold(Self(vec![(scale, why)]))
    }
}

/// What has met so far.
pub(super) struct Pairing<'a> {
    pub(super) ours: &'a Model,
    pub(super) theirs: &'a Model,
    pub(super) folded: &'a BTreeSet<ScaleId>,
    pub(super) known: &'a Known,
    pub(super) met: Met,
    /// The values of ours whose op has met one that computes the same, in whatever order was tried.
    alike: BTreeSet<(Block, String)>,
}

#[derive(Clone, Default)]
pub(super) struct Met {
    /// By tensor of theirs. Several may have one tensor of ours.
    params: BTreeMap<Instance, Instance>,
    /// By vector of theirs and its layer: that of ours, or none, where ones go.
    pub(super) scales: BTreeMap<(ScaleId, Option<usize>), Option<ScaleId>>,
    /// Vectors of theirs that several of ours, all equal, have become.
    pub(super) merged: BTreeSet<ScaleId>,
    values: BTreeSet<(Block, ValueId, ValueId)>,
}

/// A region of ours and one of theirs, at one depth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    pub(super) ours: RegionId,
    pub(super) theirs: RegionId,
    pub(super) layer: Option<usize>,
}

impl<'a> Pairing<'a> {
    pub(super) fn new(
        ours: &'a Model,
        theirs: &'a Model,
        folded: &'a BTreeSet<ScaleId>,
        known: &'a Known,
    ) -> Self {
        Self { ours, theirs, folded, known, met: Met::default(), alike: BTreeSet::new() }
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

    /// How many ops were found to compute the same.
    pub(super) fn num_met(&self) -> usize {
        self.alike.len()
    }

    /// What met, for every tensor of the other model.
    pub(super) fn finish(self) -> Correspondence {
        let mut tensors: BTreeMap<Instance, Source> =
            self.met.params.iter().map(|(theirs, ours)| (*theirs, Source::Tensor(*ours))).collect();
        for (&(id, layer), &ours) in &self.met.scales {
            let Some(vector) = self.theirs.scales.get(id.0) else { continue };
            for (index, &param) in vector.params.iter().enumerate() {
                let form = vector.form;
                let source = match ours {
                    Some(scale) => self.of_vector(scale, id, layer, index),
                    None => Source::Identity { form, index },
                };
                tensors.insert(self.theirs.instance(param, layer), source);
            }
        }
        Correspondence { folded: self.folded.iter().copied().collect(), tensors, merged: self.met.merged }
    }

    /// A parameter of their vector `place` from our `scale`: as it is where both are kept alike, or by way of γ.
    fn of_vector(&self, scale: ScaleId, place: ScaleId, layer: Option<usize>, index: usize) -> Source {
        let (ours, theirs) = (self.ours.scales.get(scale.0), self.theirs.scales.get(place.0));
        let is_alike = ours.zip(theirs).is_some_and(|(ours, theirs)| {
            ours.form == theirs.form && dim::sizes(&ours.dims) == dim::sizes(&theirs.dims)
        });
        let own = ours.and_then(|ours| ours.params.get(index)).filter(|_| is_alike);
        match (own, theirs) {
            (Some(&own), _) => Source::Tensor(self.ours.instance(own, layer)),
            (None, Some(theirs)) => Source::Gamma { scale, layer, form: theirs.form, index },
            (None, None) => Source::Identity { form: crate::ScaleForm::Direct, index },
        }
    }

    fn values(&mut self, block: Block, a: ValueId, b: ValueId) -> Result<(), Fault> {
        if self.met.values.contains(&(block, a, b)) {
            return Ok(());
        }
        let (of_ours, inner_a) = self.run_of_ours(block.ours, a);
        let (of_theirs, inner_b) = vectors::run(self.theirs, block.theirs, b);
        self.place_all(block, &of_ours, of_theirs)?;
        let (Some(ours), Some(theirs)) =
            (node(self.ours, block.ours, inner_a), node(self.theirs, block.theirs, inner_b))
        else {
            return Ok(());
        };
        if !self.met.values.contains(&(block, inner_a, inner_b)) {
            self.nodes(block, ours, theirs)?;
            self.met.values.insert((block, inner_a, inner_b));
        }
        self.met.values.insert((block, a, b));
        Ok(())
    }

    fn nodes(&mut self, block: Block, ours: &Node, theirs: &Node) -> Result<(), Fault> {
        let is_free = |op: &Op| matches!(op, Op::Add(_) | Op::Mul(_));
        if is_free(&ours.op) && is_free(&theirs.op) {
            let (a, b) = (terms(self.ours, block.ours, ours), terms(self.theirs, block.theirs, theirs));
            if ours.op != theirs.op || a.len() != b.len() || sizes_of(ours) != sizes_of(theirs) {
                return Err(self.differs(block, ours, theirs));
            }
            return self.in_some_order(block, (ours, theirs), &a, &mut b.clone());
        }
        self.ops(block, ours, theirs)?;
        ours.inputs.iter().zip(&theirs.inputs).try_for_each(|(&a, &b)| self.values(block, a, b))
    }

    /// The values `ours` against `theirs`, in whatever order they meet; those of one name are tried first.
    fn in_some_order(
        &mut self,
        block: Block,
        nodes: (&Node, &Node),
        ours: &[ValueId],
        theirs: &mut Vec<ValueId>,
    ) -> Result<(), Fault> {
        let Some((&a, rest)) = ours.split_first() else { return Ok(()) };
        let what = |model: &Model, region: RegionId, value: ValueId| {
            let (_, inner) = vectors::run(model, region, value);
            node(model, region, inner).map(|node| (node.op.operation().name(), node.name.clone()))
        };
        let own = what(self.ours, block.ours, a);
        let mut candidates: Vec<(bool, usize)> = Vec::new();
        for (index, &b) in theirs.iter().enumerate() {
            let other = what(self.theirs, block.theirs, b);
            if own.as_ref().map(|(op, _)| op) == other.as_ref().map(|(op, _)| op) {
                candidates.push((own != other, index));
            }
        }
        if candidates.is_empty() {
            // None meets it; the first says in what they differ.
            candidates.extend((!theirs.is_empty()).then_some((true, 0)));
        }
        candidates.sort_unstable();
        let mut nearest = None;
        for (_, index) in candidates {
            let before = self.met.clone();
            let b = theirs.remove(index);
            let met = self.values(block, a, b).and_then(|()| self.in_some_order(block, nodes, rest, theirs));
            let Err(fault) = met else { return Ok(()) };
            theirs.insert(index, b);
            self.met = before;
            nearest = Some(match nearest {
                None => fault,
                Some(nearest) => nearer(nearest, fault),
            });
        }
        Err(nearest.unwrap_or_else(|| self.differs(block, nodes.0, nodes.1)))
    }

    /// The ops themselves, and the tensors that they read.
    fn ops(&mut self, block: Block, ours: &Node, theirs: &Node) -> Result<(), Fault> {
        let (a, b) = (ours.op.operation().params(), theirs.op.operation().params());
        let is_same = are_alike(&ours.op, &theirs.op, block.layer);
        let is_shaped_alike = a.len() == b.len() && ours.inputs.len() == theirs.inputs.len();
        if !is_same || !is_shaped_alike {
            return Err(self.differs(block, ours, theirs));
        }
        let misfit = a.iter().zip(&b).find(|&(&a, &b)| sizes(self.ours, a) != sizes(self.theirs, b));
        if let Some((&a, &b)) = misfit {
            let place = self.place_of(block);
            return Err(Fault::Differs(difference::of_sizes(&place, (self.ours, a), (self.theirs, b))));
        }
        if sizes_of(ours) != sizes_of(theirs) {
            return Err(self.differs(block, ours, theirs));
        }
        self.alike.insert((block, ours.name.clone()));
        for (&a, &b) in a.iter().zip(&b) {
            let (own, other) = (self.ours.instance(a, block.layer), self.theirs.instance(b, block.layer));
            if let Some(known) = self.met.params.insert(other, own).filter(|known| *known != own) {
                return Err(Fault::Differs(Difference::Sharing {
                    place: self.place_of(block),
                    ours: self.ours.instance_name(known),
                    others: self.ours.instance_name(own),
                    theirs: self.theirs.instance_name(other),
                }));
            }
        }
        Ok(())
    }

    fn differs(&self, block: Block, ours: &Node, theirs: &Node) -> Fault {
        Fault::Differs(difference::of_nodes(
            &self.place_of(block),
            block.layer,
            (self.ours, ours),
            (self.theirs, theirs),
        ))
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

/// What a sum or a product is made of; a sum of sums is one.
fn terms(model: &Model, region: RegionId, of: &Node) -> Vec<ValueId> {
    let mut all = Vec::new();
    for &input in &of.inputs {
        match node(model, region, input) {
            Some(inner) if matches!((&inner.op, &of.op), (Op::Add(_), Op::Add(_))) => {
                all.extend(terms(model, region, inner));
            }
            Some(_) | None => all.push(input),
        }
    }
    all
}

fn node(model: &Model, region: RegionId, value: ValueId) -> Option<&Node> {
    model.regions.get(region.0)?.nodes.get(value.0)
}

fn sizes_of(node: &Node) -> Vec<usize> {
    dim::sizes(&node.dims)
}

fn sizes(model: &Model, param: ParamId) -> Vec<usize> {
    model.params.get(param.0).map(|param: &Param| dim::sizes(&param.dims)).unwrap_or_default()
}
