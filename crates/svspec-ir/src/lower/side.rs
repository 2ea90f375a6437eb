//! Losses beside the cross-entropy: what layers hand on to the loss region, and what that makes of it.

use super::region::RegionBuilder;
use crate::op::{Balance, Input, Over, Scores, ZLoss};
use crate::{Dims, Op, RegionKind, SideId, SideLoss, SideValue, ValueId};
use svspec_diagnostics::{Diagnostic, Span};

/// What the layers have handed on so far.
#[derive(Default)]
pub struct Side {
    values: Vec<Value>,
    wanted: Vec<Wanted>,
}

struct Value {
    name: String,
    dims: Dims,
    num_layers: usize,
}

/// A loss to be made of side values.
#[derive(Clone)]
struct Wanted {
    router: Router,
    part: String,
    name: String,
    kind: SideLossKind,
    coefficient: f64,
    span: Span,
}

/// What a router leaves.
#[derive(Clone, Copy, PartialEq)]
struct Router {
    logits: SideId,
    chosen: SideId,
}

/// A loss of the routers of one part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SideLossKind {
    /// The balancing loss.
    Balance(Scores, Over),
    /// The z-loss.
    Z,
}

impl Side {
    /// The names of the values, by their ids.
    pub fn names(&self) -> Vec<String> {
        self.values.iter().map(|value| value.name.clone()).collect()
    }

    fn id(&mut self, name: &str, dims: &[crate::Dim], num_layers: usize) -> SideId {
        let known = self.values.iter().position(|value| value.name == name);
        let index = known.unwrap_or_else(|| {
            self.values.push(Value { name: name.to_owned(), dims: dims.to_vec(), num_layers: 0 });
            self.values.len() - 1
        });
        if let Some(value) = self.values.get_mut(index) {
            value.num_layers += num_layers;
        }
        SideId(index)
    }
}

impl RegionBuilder<'_, '_> {
    /// Lets a router's `logits` and choice be read by a loss for each of `kinds`, with its coefficient.
    pub fn hand_on_router(
        &mut self,
        part: &str,
        [logits, chosen]: [ValueId; 2],
        losses: &[(&str, SideLossKind, f64)],
        span: Span,
    ) -> Option<()> {
        if losses.is_empty() {
            return Some(());
        }
        if self.kind != RegionKind::Layer {
            let message = format!("`{part}` has losses of its own, and is used outside the layers");
            self.report(
                Diagnostic::error("side-loss-outside-layers", message)
                    .at(span, "these are made of what the layers leave")
                    .help("use it in a layer, or take `balance` and `z_loss` away"),
            );
            return None;
        }
        let router = Router { logits: self.hand_on(logits), chosen: self.hand_on(chosen) };
        for &(name, kind, coefficient) in losses {
            let known = &mut self.lowering.side.wanted;
            if !known.iter().any(|wanted| wanted.router == router && wanted.kind == kind) {
                let (part, name) = (part.to_owned(), format!("{part}.{name}"));
                known.push(Wanted { router, part, name, kind, coefficient, span });
            }
        }
        Some(())
    }

    /// Hands a value on to the loss region, with those of the same name of all layers.
    fn hand_on(&mut self, value: ValueId) -> SideId {
        let (name, dims) = (self.node_name(value).to_owned(), self.dims(value).to_vec());
        let num_layers = super::num_layers(self.lowering.resolved, self.region);
        let id = self.lowering.side.id(&name, &dims, num_layers);
        self.side.push(SideValue { id, value });
        id
    }

    /// Makes the losses that the layers want.
    pub(super) fn side_losses(&mut self) -> Option<()> {
        let mut collected: Vec<(SideId, ValueId)> = Vec::new();
        for Wanted { router, part, name, kind, coefficient, span } in self.lowering.side.wanted.clone() {
            let num_layers = self.lowering.side.values.get(router.logits.0)?.num_layers;
            if num_layers == 0 {
                continue;
            }
            let mut input = |region: &mut Self, id: SideId| {
                if let Some((_, value)) = collected.iter().find(|(known, _)| *known == id) {
                    return Some(*value);
                }
                let value = region.lowering.side.values.get(id.0)?;
                let (name, dims) = (value.name.clone(), value.dims.clone());
                let value =
                    region.node(&name, Op::Input(Input::Collected(id)), Vec::new(), dims, "", span)?;
                collected.push((id, value));
                Some(value)
            };
            let logits = input(self, router.logits)?;
            let (op, inputs) = match kind {
                SideLossKind::Balance(scores, over) => {
                    let op = Op::Balance(Balance { scores, over, num_layers });
                    (op, vec![logits, input(self, router.chosen)?])
                }
                SideLossKind::Z => (Op::ZLoss(ZLoss { num_layers }), vec![logits]),
            };
            let value = self.node(&name, op, inputs, Vec::new(), &part, span)?;
            self.losses.push(SideLoss { name, value, coefficient });
        }
        Some(())
    }
}
