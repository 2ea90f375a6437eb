//! The `scale` part: a learned vector, or one number, times its argument (LayerScale, ReZero).

use super::{Own, PartKind, Ports, Preset, Range, Setting, Takes, no_check, operands};
use crate::Site;
use crate::resolve::Place;

/// `scale attn_gain { init = 0.1 }`
pub const SCALE: PartKind = PartKind {
    name: "scale",
    summary: "a learned vector, or one number, times its argument",
    inputs: &["x"],
    settings: &[
        Setting {
            name: "init",
            takes: Takes::NumberPerLayer(Range::Any),
            preset: Preset::Number(1.0),
            summary: "every entry at step 0",
        },
        Setting {
            name: "size",
            takes: Takes::Word(&["vector", "scalar"]),
            preset: Preset::Word("vector"),
            summary: "one entry per channel, or one in all",
        },
    ],
    ports: Ports::None,
    own: Own::Scale,
    check: no_check,
    expand: |region, part, inputs| {
        let [x] = operands(inputs);
        region.stage(part, Place::Own, Site::Residual, x)
    },
};
