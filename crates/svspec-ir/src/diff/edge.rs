//! The graph as edges between its anchors. An anchor is a node that joins or makes channels: an input, a linear map,
//! attention, a sum, a product. Everything between two anchors has one input, so an edge is a chain.

use crate::op::Norm;
use crate::print::number::rounded;
use crate::print::paths;
use crate::{Model, Node, Op, PerLayer, Region, RegionId, ScaleId, ValueId};

/// What an input of an anchor reads: a chain of ops over another anchor.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// The name of the region's family: kinds that differ in sizes alone are compared as one.
    pub region: String,
    /// The layers that have it, from 0; empty outside the stack.
    pub layers: Vec<usize>,
    /// The reading anchor.
    pub anchor: String,
    /// Which of its inputs.
    pub input: usize,
    /// Where a reviewer looks for it.
    pub port: Port,
    /// What the anchor makes of its inputs.
    pub joint: Joint,
    /// The anchor that is read.
    pub source: String,
    /// From the source on.
    pub links: Vec<Link>,
}

/// How an edge is named: at the linear map that it enters or leaves, or else by the anchor's equation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Port {
    /// The `in` port of this part.
    In(String),
    /// The `out` port of this part.
    Out(String),
    /// A term of this value.
    Term(String),
}

/// How an anchor's inputs are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// Added; sums of sums count as one.
    Sum,
    /// Multiplied element by element.
    Product,
    /// In a way that its name says.
    None,
}

/// One op on an edge.
#[derive(Clone, Debug)]
pub(super) enum Link {
    /// A scale vector.
    Scale {
        id: ScaleId,
        path: String,
        /// The sizes of what it multiplies.
        sizes: Vec<usize>,
    },
    /// An additive vector, by its path.
    Bias(String),
    /// A constant factor, as text.
    Gain(String),
    /// Any other op of one input, as text.
    Op(String),
}

/// The edges of `model`, region by region.
pub(super) fn edges(model: &Model) -> Vec<Edge> {
    let of_region = |(index, region)| {
        let layers = paths::layers_of(model, RegionId(index));
        region_edges(model, region, &layers)
    };
    model.regions.iter().enumerate().flat_map(of_region).collect()
}

/// The same, those that the kinds of a family have in common once.
pub(super) fn distinct(model: &Model) -> Vec<Edge> {
    let mut distinct: Vec<Edge> = Vec::new();
    for edge in edges(model) {
        let is_known = |known: &Edge| known.key() == edge.key() && known.full_text() == edge.full_text();
        if !distinct.iter().any(is_known) {
            distinct.push(edge);
        }
    }
    distinct
}

fn region_edges(model: &Model, region: &Region, layers: &[usize]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (index, node) in region.nodes.iter().enumerate() {
        let value = ValueId(index);
        if is_anchor(&node.op) && !is_inner_term(region, value) {
            let read = terms(region, node);
            edges.extend(read.into_iter().enumerate().map(|(input, read)| Edge {
                layers: layers.to_vec(),
                ..edge(model, region, value, input, read)
            }));
        }
    }
    // An output that is a sum or a product of its own goes by that name already.
    if !is_named_output(region, region.output) {
        let (source, links) = chain(model, region, region.output);
        let is_linear = source
            .and_then(|source| region.nodes.get(source.0))
            .is_some_and(|node| matches!(node.op, Op::Linear(_)));
        let source = source.map(|source| anchor_name(region, source)).unwrap_or_default();
        let port = if is_linear { Port::Out(source.clone()) } else { Port::Term("output".to_owned()) };
        edges.push(Edge {
            region: region.family.clone(),
            layers: layers.to_vec(),
            anchor: "output".to_owned(),
            input: 0,
            port,
            joint: Joint::None,
            source,
            links,
        });
    }
    edges
}

fn edge(model: &Model, region: &Region, anchor: ValueId, input: usize, read: ValueId) -> Edge {
    let (source, links) = chain(model, region, read);
    let op_of = |value: ValueId| region.nodes.get(value.0).map(|node| &node.op);
    let name = anchor_name(region, anchor);
    let source_name = source.map(|source| anchor_name(region, source)).unwrap_or_default();
    let port = match (op_of(anchor), source.and_then(op_of)) {
        (Some(Op::Linear(_) | Op::ExpertLinear(_)), _) => Port::In(name.clone()),
        (_, Some(Op::Linear(_) | Op::ExpertLinear(_))) => Port::Out(source_name.clone()),
        (_, _) => Port::Term(name.clone()),
    };
    let joint = match op_of(anchor) {
        Some(Op::Add(_)) => Joint::Sum,
        Some(Op::Mul(_)) => Joint::Product,
        Some(_) | None => Joint::None,
    };
    let region = region.family.clone();
    Edge { region, layers: Vec::new(), anchor: name, input, port, joint, source: source_name, links }
}

/// What an anchor reads; a sum that only another sum reads is part of that.
fn terms(region: &Region, node: &Node) -> Vec<ValueId> {
    let mut terms = Vec::new();
    for &input in &node.inputs {
        match region.nodes.get(input.0) {
            // That experts follow the choice goes without saying; the weights say what it is.
            Some(Node { op: Op::Choose(_), .. }) if !matches!(node.op, Op::Route(_)) => {}
            Some(inner) if is_inner_term(region, input) => terms.extend(self::terms(region, inner)),
            Some(_) | None => terms.push(input),
        }
    }
    terms
}

/// Whether the value is a sum that is read once, by a sum.
fn is_inner_term(region: &Region, value: ValueId) -> bool {
    let is_sum = |node: &Node| matches!(node.op, Op::Add(_));
    let mut readers = region.nodes.iter().filter(|node| node.inputs.contains(&value));
    region.nodes.get(value.0).is_some_and(is_sum)
        && region.output != value
        && readers.next().is_some_and(is_sum)
        && readers.next().is_none()
}

/// Whether the value is what the region hands on, and goes by the name of that.
fn is_named_output(region: &Region, value: ValueId) -> bool {
    let is_joint = |node: &Node| matches!(node.op, Op::Add(_) | Op::Mul(_));
    region.output == value && region.nodes.get(value.0).is_some_and(is_joint)
}

/// The anchor behind `value` and the links from it.
fn chain(model: &Model, region: &Region, value: ValueId) -> (Option<ValueId>, Vec<Link>) {
    let mut links = Vec::new();
    let mut value = value;
    loop {
        let Some(node) = region.nodes.get(value.0) else { return (None, links) };
        match node.inputs.first() {
            Some(&input) if !is_anchor(&node.op) => {
                links.insert(0, link(model, region, node));
                value = input;
            }
            Some(_) | None => return (Some(value), links),
        }
    }
}

fn link(model: &Model, region: &Region, node: &Node) -> Link {
    let op = node.op.operation();
    if let Op::Scale(scale) = &node.op {
        return Link::Scale {
            id: scale.scale,
            path: op.subject(model).join(", "),
            sizes: node.dims.iter().map(|dim| dim.size).collect(),
        };
    }
    if let Op::Normalize(normalize) = &node.op {
        let norm = match normalize.norm {
            Norm::Rms => "normalize",
            Norm::Layer => "layer_normalize",
        };
        let skipped = node.dims.len().saturating_sub(normalize.num_axes);
        let axes: Vec<&str> = node.dims.iter().skip(skipped).map(|dim| dim.name.as_str()).collect();
        return Link::Op(if skipped == 0 { norm.to_owned() } else { format!("{norm}[{}]", axes.join(", ")) });
    }
    if let Op::Bias(_) | Op::ExpertBias(_) = &node.op {
        return Link::Bias(op.subject(model).join(", "));
    }
    if let Op::ExpertScale(_) = &node.op {
        return Link::Op(format!("{}[each expert]", op.subject(model).join(", ")));
    }
    if let Op::Gain(gain) = &node.op {
        return Link::Gain(match &gain.factor {
            PerLayer::Uniform(factor) if is_shared(model, region, node) => rounded(*factor),
            PerLayer::Uniform(_) | PerLayer::Each(_) => "c(layer)".to_owned(),
        });
    }
    if let Op::PositionGain(gain) = &node.op {
        return Link::Gain(format!("({})", gain.factor));
    }
    Link::Op(op.name().to_owned())
}

/// Whether all kinds of the region's family have the op of this node.
fn is_shared(model: &Model, region: &Region, node: &Node) -> bool {
    let family = model.regions.iter().filter(|other| other.family == region.family);
    let mut counterparts =
        family.filter_map(|other| other.nodes.iter().find(|other| other.name == node.name));
    counterparts.all(|other| other.op == node.op)
}

/// What has no input has none to go on to.
fn is_anchor(op: &Op) -> bool {
    matches!(op, Op::Input(_)) || !op.operation().is_step()
}

/// Linear maps, attention and the embedding go by their parts, what the region hands on is its output, and everything
/// else goes by its value's name.
fn anchor_name(region: &Region, value: ValueId) -> String {
    let Some(node) = region.nodes.get(value.0) else { return String::new() };
    if is_named_output(region, value) {
        return "output".to_owned();
    }
    let is_of_part = node.op.operation().is_of_part() && !node.part.is_empty();
    if is_of_part { node.part.clone() } else { node.name.clone() }
}

impl Edge {
    /// Whether both are of some layer, or of none.
    pub fn meets(&self, other: &Self) -> bool {
        let (a, b) = (&self.layers, &other.layers);
        a.is_empty() || b.is_empty() || a.iter().any(|layer| b.contains(layer))
    }

    /// What names the edge across models.
    pub fn key(&self) -> (&str, &str, usize) {
        (&self.region, &self.anchor, self.input)
    }

    /// The chain without its scale vectors.
    pub fn skeleton(&self) -> (&str, Vec<&str>) {
        let ops = self.links.iter().filter_map(|link| match link {
            Link::Scale { .. } => None,
            Link::Bias(_) => Some("bias"),
            Link::Gain(_) => Some("a factor"),
            Link::Op(text) => Some(text.as_str()),
        });
        (&self.source, ops.collect())
    }

    /// The factors on it.
    pub fn factors(&self) -> impl Iterator<Item = &str> {
        self.links.iter().filter_map(|link| match link {
            Link::Gain(factor) => Some(factor.as_str()),
            Link::Scale { .. } | Link::Bias(_) | Link::Op(_) => None,
        })
    }

    /// The scale vectors on it: the number of other ops before each, the vector, and the sizes it multiplies.
    pub fn scales(&self) -> Vec<(usize, ScaleId, &[usize])> {
        let mut depth = 0;
        let mut scales = Vec::new();
        for link in &self.links {
            match link {
                Link::Scale { id, sizes, .. } => scales.push((depth, *id, sizes.as_slice())),
                Link::Bias(_) | Link::Gain(_) | Link::Op(_) => depth += 1,
            }
        }
        scales
    }

    /// The scale vectors on it that `is_counted`, by path, each with the number of other ops before it.
    pub fn scale_paths(&self, is_counted: impl Fn(&str) -> bool) -> Vec<(usize, &str)> {
        let mut depth = 0;
        let mut paths = Vec::new();
        for link in &self.links {
            match link {
                Link::Scale { path, .. } if is_counted(path) => paths.push((depth, path.as_str())),
                Link::Scale { .. } => {}
                Link::Bias(_) | Link::Gain(_) | Link::Op(_) => depth += 1,
            }
        }
        paths.sort_unstable();
        paths
    }

    /// The chain at its port, as mathematics: `rope(out_scale ⊙ normalize[head_dim](y))`. The port's own path is left
    /// out, so that ports treated alike read alike.
    pub fn text(&self) -> String {
        match &self.port {
            Port::In(part) => self.written(&format!("{part}."), &self.source),
            Port::Out(part) => self.written(&format!("{part}."), "y"),
            Port::Term(_) => self.full_text(),
        }
    }

    /// The chain with every path in full.
    pub fn full_text(&self) -> String {
        self.written("", &self.source)
    }

    fn written(&self, own: &str, source: &str) -> String {
        let short =
            |path: &str| path.strip_prefix(own).filter(|_| !own.is_empty()).unwrap_or(path).to_owned();
        let mut text = source.to_owned();
        let mut is_sum = false;
        for link in &self.links {
            let inner = if is_sum { format!("({text})") } else { text.clone() };
            is_sum = false;
            text = match link {
                Link::Scale { path, .. } => format!("{} ⊙ {inner}", short(path)),
                Link::Gain(factor) => format!("{factor} · {inner}"),
                Link::Op(name) => format!("{name}({text})"),
                Link::Bias(path) => {
                    is_sum = true;
                    format!("{text} + {}", short(path))
                }
            };
        }
        text
    }
}
