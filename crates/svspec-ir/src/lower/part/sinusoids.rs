//! The `sinusoids` part: sines and cosines of each position, to be added to the embedding.

use super::rope::LAYOUT;
use super::{Own, PartKind, Ports, Preset, Range, Setting, Takes, operands};
use crate::Op;
use crate::ValueId;
use crate::lower::region::RegionBuilder;
use crate::op::Sinusoids;
use crate::op::rope::Layout;
use crate::resolve::Part;
use svspec_diagnostics::Diagnostic;

/// `sinusoids pos { layout = half, offset = 2 }`
pub const SINUSOIDS: PartKind = PartKind {
    name: "sinusoids",
    summary: "sines and cosines of each position",
    inputs: &["tokens"],
    settings: &[
        Setting {
            name: "theta",
            takes: Takes::Number(Range::Positive),
            preset: Preset::Number(10_000.0),
            summary: "the base of the frequencies",
        },
        Setting {
            preset: Preset::Word("interleaved"),
            summary: "where the sine and the cosine of pair i of n channels are: i and i + n / 2, or 2i and 2i + 1",
            ..LAYOUT
        },
        Setting {
            name: "offset",
            takes: Takes::CountFromZero,
            preset: Preset::Number(0.0),
            summary: "what the first position counts as",
        },
    ],
    ports: Ports::None,
    own: Own::Nothing,
    check,
    expand,
};

fn check(part: &Part, width: usize, findings: &mut Vec<Diagnostic>) {
    if width.is_multiple_of(2) {
        return;
    }
    findings.push(
        Diagnostic::error(
            "dimension-mismatch",
            format!("`{}` makes pairs of a sine and a cosine, and the width is {width}", part.name),
        )
        .at(part.span, "needs an even number of channels")
        .help("choose an even `width`"),
    );
}

fn expand(region: &mut RegionBuilder<'_, '_>, part: &Part, inputs: &[ValueId]) -> Option<ValueId> {
    let [tokens] = operands(inputs);
    let width = region.width_dim();
    // The check has said what is wrong.
    if !width.size.is_multiple_of(2) {
        return None;
    }
    let op = Op::Sinusoids(Sinusoids {
        width: width.clone(),
        theta: part.number("theta")?,
        offset: part.count("offset")?,
        layout: Layout::of_word(part.word("layout")?),
    });
    region.node(&part.name, op, vec![tokens], vec![width], &part.name, part.span)
}
