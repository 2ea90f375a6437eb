//! Norm parts: a deterministic normalisation, then a scale vector and a bias where the kind and the placements say so.

use super::{EPS, NormVectors, Own, PartKind, Ports, Preset, Setting, Takes, no_check, operands};
use crate::lower::region::RegionBuilder;
use crate::op::Norm;
use crate::resolve::{Part, Place};
use crate::{Site, ValueId};

/// `rms_norm attn_norm`
pub const RMS_NORM: PartKind = PartKind {
    name: "rms_norm",
    summary: "root-mean-square normalisation, then a scale vector",
    inputs: &["x"],
    settings: &[EPS],
    ports: Ports::None,
    own: Own::Norm(Norm::Rms, NormVectors::Scale),
    check: no_check,
    expand,
};

/// `layer_norm attn_norm { bias = off }`
pub const LAYER_NORM: PartKind = PartKind {
    name: "layer_norm",
    summary: "mean and variance normalisation, then a scale vector and a bias",
    inputs: &["x"],
    settings: &[
        EPS,
        Setting {
            name: "bias",
            takes: Takes::Word(&["on", "off"]),
            preset: Preset::Word("on"),
            summary: "an additive vector after the scale vector",
        },
    ],
    ports: Ports::None,
    own: Own::Norm(Norm::Layer, NormVectors::ScaleAndBias),
    check: no_check,
    expand,
};

/// `normalize n`
pub const NORMALIZE: PartKind = PartKind {
    name: "normalize",
    summary: "root-mean-square normalisation without a vector",
    inputs: &["x"],
    settings: &[EPS],
    ports: Ports::None,
    own: Own::Norm(Norm::Rms, NormVectors::None),
    check: no_check,
    expand,
};

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [x] = operands(inputs);
    region.stage(part, Place::Own, Site::Norm, x)
}
