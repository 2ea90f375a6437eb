//! The `bias` part: a learned vector added to its argument.

use super::{Own, PartKind, Ports, Preset, Range, Setting, Takes, no_check, operands};
use crate::lower::parameters::NewParam;
use crate::lower::region::RegionBuilder;
use crate::op::Bias;
use crate::op::choose::channel_dims;
use crate::resolve::Part;
use crate::{DefaultInit, Op, ParamKind, ValueId};

/// `bias shift { init = 0 }`
pub const BIAS_VECTOR: PartKind = PartKind {
    name: "bias",
    summary: "a learned vector, added to its argument",
    inputs: &["x"],
    settings: &[Setting {
        name: "init",
        takes: Takes::NumberPerLayer(Range::Any),
        preset: Preset::Number(0.0),
        summary: "every entry at step 0",
    }],
    ports: Ports::None,
    own: Own::Nothing,
    check: no_check,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    let param = region.param(NewParam {
        path: format!("{}.bias", part.name),
        kind: ParamKind::Bias,
        scale_part: None,
        dims: channel_dims(region.dims(x)).to_vec(),
        num_out_dims: 0,
        init: DefaultInit::Constant(part.per_layer("init")?),
        span: part.span,
    })?;
    region.same_dims(&part.name, Op::Bias(Bias { param }), x, &part.name, part.span)
}
