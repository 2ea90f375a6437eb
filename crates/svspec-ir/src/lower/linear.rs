//! One linear map with what is placed at its ports: [normalize] → scale → linear (+ bias) → [normalize] → scale.

use super::parameters::NewParam;
use super::region::RegionBuilder;
use crate::op::{Bias, Linear, Projection};
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
        let dims = map.out.iter().chain(self.dims(x)).cloned().collect();
        let weight = self.param(NewParam {
            path: format!("{}.weight", part.port_path(map.port)),
            kind: ParamKind::Weight,
            scale_part: None,
            dims,
            num_out_dims: map.out.len(),
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
        let projection = Projection { weight, out: map.out.clone(), column_scale: None, row_scale: None };
        let op = Op::Linear(Linear { projections: vec![projection] });
        let mut y = self.node(&name, op, vec![x], map.out.clone(), &path, part.span)?;
        if map.has_bias {
            let of_port = format!("{}.bias", map.port);
            let place = part.place(if part.is_written(&of_port) { of_port.as_str() } else { "bias" });
            let param = self.param(NewParam {
                path: format!("{path}.bias"),
                kind: ParamKind::Bias,
                scale_part: None,
                dims: map.out.clone(),
                num_out_dims: 0,
                init: DefaultInit::constant(0.0),
                span: place,
            })?;
            y = self.same_dims(&format!("{name}_biased"), Op::Bias(Bias { param }), y, &path, place)?;
        }
        self.stage(part, Place::Out(map.port), map.out_site, y)
    }
}
