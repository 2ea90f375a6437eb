//! A checked model to a picture of it: embedding above, each kind of layer in a frame, head below; the residual stream
//! as the spine, scale vectors coloured by decay and outlined by role.

mod card;
mod flow;
mod lane;
mod layout;
mod legend;
mod mark;

use super::palette::{HAIR, QUIET};
use super::svg::{Element, Picture, text_width};
use flow::Flow;
use layout::{Layout, Point};
use mark::Mark;
use svspec_ir::dim::num_elements;
use svspec_ir::{CheckedModel, Model, Param, ParamKind, Region, RegionId, RegionKind};

const MARGIN: f64 = 24.0;
const HEAD: f64 = 78.0;
/// From a frame's edge to what is in it.
const INSIDE: f64 = 16.0;
/// The strip of a frame that holds its caption.
const CAPTION: f64 = 14.0;
const BETWEEN: f64 = 18.0;
const MIN_WIDTH: f64 = 560.0;

/// Draws `checked`.
pub fn graph(checked: &CheckedModel) -> String {
    draw(checked.model(), &mark::marks(checked))
}

/// A region and where it stands on the page.
struct Panel<'a> {
    region: &'a Region,
    layout: Layout,
    caption: String,
    top: f64,
    bottom: f64,
}

fn draw(model: &Model, marks: &[Mark]) -> String {
    let panels = panels(model, marks);
    let spine = MARGIN + INSIDE + panels.iter().map(|panel| panel.layout.left).fold(20.0, f64::max);
    let right = panels.iter().map(|panel| spine + panel.layout.right + INSIDE).fold(0.0, f64::max);
    let subtitle = subtitle(model);
    let width = (right + MARGIN).max(MIN_WIDTH).max(text_width(&subtitle, 12.0) + 2.0 * MARGIN);
    let bottom = panels.last().map_or(HEAD, |panel| panel.bottom);
    let mut picture = Picture::new(width, bottom + legend::HEIGHT);
    picture.add(Element::text(MARGIN, 32.0, 17.0, &model.name).with("font-weight", "bold"));
    picture.add(Element::text(MARGIN, 52.0, 12.0, &subtitle).with("fill", QUIET));
    for panel in &panels {
        frame(&mut picture, panel, width);
    }
    let ends = (panels.first().map_or(HEAD, |p| p.top + CAPTION + INSIDE), bottom - INSIDE);
    picture.add(Element::line((spine, ends.0), (spine, ends.1)).stroke(QUIET, 3.0));
    for panel in &panels {
        paint(&mut picture, &panel.layout, (spine, panel.top + CAPTION + INSIDE));
    }
    legend::draw(&mut picture, (MARGIN, bottom + 22.0));
    picture.finish(&format!("The architecture of {}", model.name))
}

fn panels<'a>(model: &'a Model, marks: &[Mark]) -> Vec<Panel<'a>> {
    let mut top = HEAD;
    let mut panels = Vec::new();
    for (index, region) in model.regions.iter().enumerate() {
        if region.kind == RegionKind::Loss {
            continue;
        }
        let layout = layout::layout(&flow_of(model, region, marks));
        let bottom = top + CAPTION + layout.height + 2.0 * INSIDE;
        panels.push(Panel { region, caption: caption(model, region, RegionId(index)), layout, top, bottom });
        top = bottom + BETWEEN;
    }
    panels
}

fn flow_of(model: &Model, region: &Region, marks: &[Mark]) -> Flow {
    let cards = region.nodes.iter().map(|node| card::card(model, region, node, marks)).collect();
    let inputs = region.nodes.iter().map(|node| {
        let mut inputs: Vec<usize> = node.inputs.iter().map(|value| value.0).collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    });
    Flow { cards, inputs: inputs.collect(), output: region.output.0 }
}

/// `layer, 12 times`; where kinds alternate, at which depths.
fn caption(model: &Model, region: &Region, id: RegionId) -> String {
    let depths: Vec<usize> =
        (1..).zip(&model.stack).filter(|(_, kind)| **kind == id).map(|(depth, _)| depth).collect();
    match region.kind {
        RegionKind::Layer if depths.len() == model.stack.len() => {
            format!("{}, {} times", region.name, depths.len())
        }
        RegionKind::Layer => format!("{}, {} times: depth {}", region.name, depths.len(), ranges(&depths)),
        RegionKind::Embed | RegionKind::Head | RegionKind::Loss => region.name.clone(),
    }
}

/// `1–5, 7–11, 13`.
fn ranges(depths: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &depth in depths {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == depth => *end = depth,
            Some(_) | None => runs.push((depth, depth)),
        }
    }
    let shown = |(start, end): &(usize, usize)| {
        if start == end { start.to_string() } else { format!("{start}–{end}") }
    };
    runs.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn subtitle(model: &Model) -> String {
    let count = |wanted: fn(&Param) -> bool| -> usize {
        let params = model.instances().into_iter().filter_map(|instance| model.params.get(instance.param.0));
        params.filter(|param| wanted(param)).map(|param| num_elements(&param.dims)).sum()
    };
    let grouped = |count: usize| super::axis::grouped(&count.to_string());
    let documents = model.document_end.map(|token| format!(", documents apart at token {token}"));
    format!(
        "{} layers of width {}, context {}{}; {} parameters, {} of them in scale vectors",
        model.stack.len(),
        model.width,
        model.context,
        documents.unwrap_or_default(),
        grouped(count(|_| true)),
        grouped(count(|param| param.kind == ParamKind::Scale))
    )
}

fn frame(picture: &mut Picture, panel: &Panel<'_>, width: f64) {
    let (x, y, height) = (MARGIN, panel.top, panel.bottom - panel.top);
    let outline =
        Element::rect(x, y, width - 2.0 * MARGIN, height, 8.0).with("fill", "none").stroke(HAIR, 1.4);
    picture.add(match panel.region.kind {
        RegionKind::Layer => outline.with("fill", "#f6f6f2"),
        RegionKind::Embed | RegionKind::Head | RegionKind::Loss => outline,
    });
    let caption = Element::text(width - MARGIN - 12.0, y + 19.0, 12.0, &panel.caption).ending();
    picture.add(caption.with("font-weight", "bold").with("fill", QUIET));
}

fn paint(picture: &mut Picture, layout: &Layout, origin: Point) {
    let moved = |point: &Point| (point.0 + origin.0, point.1 + origin.1);
    for wire in &layout.wires {
        let points: Vec<Point> = wire.iter().map(moved).collect();
        picture.add(Element::polyline(&points).stroke(QUIET, 1.3).with("stroke-linejoin", "round"));
        picture.add(arrow(&points));
    }
    for fork in &layout.forks {
        picture.add(Element::circle(moved(fork), if fork.0 == 0.0 { 3.4 } else { 2.2 }).with("fill", QUIET));
    }
    for (card, centre) in &layout.cards {
        card.paint(picture, moved(centre));
    }
}

/// The head of the wire through `points`.
fn arrow(points: &[Point]) -> Element {
    let end = points.last().copied().unwrap_or_default();
    let before = points.iter().rev().nth(1).copied().unwrap_or(end);
    let along = ((end.0 - before.0).signum(), (end.1 - before.1).signum());
    let (x, y) = if (end.1 - before.1).abs() < 0.5 { (along.0, 0.0) } else { (0.0, along.1) };
    let (back, side) = (5.0, 2.8);
    let corner = |turn: f64| (end.0 - back * x - turn * side * y, end.1 - back * y + turn * side * x);
    Element::polygon(&[end, corner(1.0), corner(-1.0)]).with("fill", QUIET)
}

#[cfg(test)]
mod tests;
