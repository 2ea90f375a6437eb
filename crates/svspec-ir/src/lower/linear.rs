//! One linear map with what is placed at its ports: [normalize] → scale → linear (+ bias) → [normalize] → scale.

use super::parameters::NewParam;
use super::region::RegionBuilder;
use crate::op::choose::channel_dims;
use crate::op::{Bias, ExpertBias, ExpertLinear, Linear, Projection};
use crate::resolve::{Part, Place};
use crate::{DefaultInit, Dims, Op, ParamId, ParamKind, Site, ValueId};

/// The standard deviation of weights and embeddings where no rule says otherwise (GPT-2's).
pub(super) const DEFAULT_STD: f64 = 0.02;

/// A linear map of a part.
pub struct LinearMap {
    /// Its port's name; `""` if the part is the map.
    pub port: &'static str,
    /// Its output dimensions.
    pub out: Dims,
    /// Whether an additive vector follows.
    pub has_bias: bool,
    /// The site of a scale vector at its output.
    pub out_site: Site,
}

impl RegionBuilder<'_, '_> {
    /// Applies a linear map with a weight of its own.
    pub fn linear(&mut self, part: &Part, map: &LinearMap, x: ValueId) -> Option<ValueId> {
        let x = self.stage(part, Place::In(map.port), Site::LinearInput, x)?;
        let experts = self.expert_dim();
        let num_out_dims = map.out.len() + usize::from(experts.is_some());
        let matrix = map.out.iter().chain(channel_dims(self.dims(x))).cloned();
        let weight = self.param(NewParam {
            path: format!("{}.weight", part.port_path(map.port)),
            kind: ParamKind::Weight,
            scale_part: None,
            dims: experts.into_iter().chain(matrix).collect(),
            num_out_dims,
            init: DefaultInit::Normal { std: DEFAULT_STD },
            span: part.span,
        })?;
        self.product(part, map, weight, x)
    }

    /// Applies a linear map whose weight, `[out…, in…]`, is there already.
    pub fn tied_linear(
        &mut self,
        part: &Part,
        map: &LinearMap,
        weight: ParamId,
        x: ValueId,
    ) -> Option<ValueId> {
        let x = self.stage(part, Place::In(map.port), Site::LinearInput, x)?;
        self.product(part, map, weight, x)
    }

    fn product(&mut self, part: &Part, map: &LinearMap, weight: ParamId, x: ValueId) -> Option<ValueId> {
        let path = part.port_path(map.port);
        let name = path.replace('.', "_");
        let experts = self.expert_dim();
        let mut y = if let Some(chosen) = self.chosen() {
            if map.out.len() > 1 {
                return self.not_an_expert(&part.name, part.span);
            }
            let dims = self.dims(chosen).iter().chain(&map.out).cloned().collect();
            let op = Op::ExpertLinear(ExpertLinear { weight });
            self.node(&name, op, vec![x, chosen], dims, &path, part.span)?
        } else {
            let out = map.out.clone();
            let projection = Projection { weight, out, column_scale: None, row_scale: None };
            let op = Op::Linear(Linear { projections: vec![projection] });
            self.node(&name, op, vec![x], map.out.clone(), &path, part.span)?
        };
        if map.has_bias {
            let of_port = format!("{}.bias", map.port);
            let place = part.place(if part.is_written(&of_port) { of_port.as_str() } else { "bias" });
            let param = self.param(NewParam {
                path: format!("{path}.bias"),
                kind: ParamKind::Bias,
                scale_part: None,
                dims: experts.into_iter().chain(map.out.iter().cloned()).collect(),
                num_out_dims: 0,
                init: DefaultInit::constant(0.0),
                span: place,
            })?;
            let (op, inputs) = match self.chosen() {
                Some(chosen) => (Op::ExpertBias(ExpertBias { param }), vec![y, chosen]),
                None => (Op::Bias(Bias { param }), vec![y]),
            };
            let dims = self.dims(y).to_vec();
            y = self.node(&format!("{name}_biased"), op, inputs, dims, &path, place)?;
        }
        self.stage(part, Place::Out(map.port), map.out_site, y)
    }
}
