//! The graph as edges between its anchors. An anchor is a node that joins or makes channels: an input, a linear map,
//! attention, a sum, a product. Everything between two anchors has one input, so an edge is a chain.

use crate::op::Norm;
use crate::print::op;
use crate::{Model, Node, Op, Region, ScaleId, ValueId};

/// What an input of an anchor reads: a chain of ops over another anchor.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// The region's name.
    pub region: String,
    /// The reading anchor.
    pub anchor: String,
    /// Which of its inputs.
    pub input: usize,
    /// Where a reviewer looks for it.
    pub port: Port,
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
    /// Any other op of one input, as text.
    Op(String),
}

/// The edges of `model`, region by region.
pub(super) fn edges(model: &Model) -> Vec<Edge> {
    model.regions.iter().flat_map(|region| region_edges(model, region)).collect()
}

fn region_edges(model: &Model, region: &Region) -> Vec<Edge> {
    let mut edges = Vec::new();
    for node in region.nodes.iter().filter(|node| is_anchor(&node.op)) {
        for (input, &value) in node.inputs.iter().enumerate() {
            edges.push(edge(model, region, node, input, value));
        }
    }
    let (source, links) = chain(model, region, region.output);
    let leaves = matches!(source.map(|node| &node.op), Some(Op::Linear(_)));
    let name = source.map(anchor_name).unwrap_or_default();
    edges.push(Edge {
        region: region.name.clone(),
        anchor: "output".to_owned(),
        input: 0,
        port: if leaves { Port::Out(name.clone()) } else { Port::Term("output".to_owned()) },
        source: name,
        links,
    });
    edges
}

fn edge(model: &Model, region: &Region, node: &Node, input: usize, value: ValueId) -> Edge {
    let (source, links) = chain(model, region, value);
    let anchor = anchor_name(node);
    let name = source.map(anchor_name).unwrap_or_default();
    let port = match (&node.op, source.map(|node| &node.op)) {
        (Op::Linear(_), _) => Port::In(anchor.clone()),
        (_, Some(Op::Linear(_))) => Port::Out(name.clone()),
        (_, _) => Port::Term(anchor.clone()),
    };
    Edge { region: region.name.clone(), anchor, input, port, source: name, links }
}

/// The anchor behind `value` and the links from it.
fn chain<'a>(model: &Model, region: &'a Region, value: ValueId) -> (Option<&'a Node>, Vec<Link>) {
    let mut links = Vec::new();
    let mut value = value;
    loop {
        let Some(node) = region.nodes.get(value.0) else { return (None, links) };
        let input = node.inputs.first();
        match input {
            Some(&input) if !is_anchor(&node.op) => {
                links.insert(0, link(model, node));
                value = input;
            }
            Some(_) | None => return (Some(node), links),
        }
    }
}

fn link(model: &Model, node: &Node) -> Link {
    match &node.op {
        Op::Scale(scale) => Link::Scale {
            id: scale.scale,
            path: model.scales.get(scale.scale.0).map_or_else(String::new, |scale| scale.path.clone()),
            sizes: node.dims.iter().map(|dim| dim.size).collect(),
        },
        Op::Normalize(normalize) => {
            let norm = match normalize.norm {
                Norm::Rms => "normalize",
                Norm::Layer => "layer_normalize",
            };
            let skipped = node.dims.len().saturating_sub(normalize.num_axes);
            let axes: Vec<&str> = node.dims.iter().skip(skipped).map(|dim| dim.name.as_str()).collect();
            Link::Op(if skipped == 0 { norm.to_owned() } else { format!("{norm}[{}]", axes.join(", ")) })
        }
        Op::Bias(_) => Link::Op(format!("{} +", op::subject(model, &node.op).join(", "))),
        Op::Input(_)
        | Op::Embed(_)
        | Op::Linear(_)
        | Op::Slice(_)
        | Op::Rope(_)
        | Op::Attention(_)
        | Op::Activation(_)
        | Op::Mul(_)
        | Op::Add(_)
        | Op::Gain(_)
        | Op::SoftCap(_)
        | Op::CrossEntropy(_) => Link::Op(op::name(&node.op).to_owned()),
    }
}

fn is_anchor(op: &Op) -> bool {
    match op {
        Op::Input(_)
        | Op::Embed(_)
        | Op::Linear(_)
        | Op::Attention(_)
        | Op::Mul(_)
        | Op::Add(_)
        | Op::CrossEntropy(_) => true,
        Op::Normalize(_)
        | Op::Scale(_)
        | Op::Bias(_)
        | Op::Slice(_)
        | Op::Rope(_)
        | Op::Activation(_)
        | Op::Gain(_)
        | Op::SoftCap(_) => false,
    }
}

/// A linear map goes by its part, everything else by its value's name.
fn anchor_name(node: &Node) -> String {
    match &node.op {
        Op::Linear(_) | Op::Attention(_) if !node.part.is_empty() => node.part.clone(),
        Op::Input(_)
        | Op::Embed(_)
        | Op::Normalize(_)
        | Op::Scale(_)
        | Op::Bias(_)
        | Op::Linear(_)
        | Op::Slice(_)
        | Op::Rope(_)
        | Op::Attention(_)
        | Op::Activation(_)
        | Op::Mul(_)
        | Op::Add(_)
        | Op::Gain(_)
        | Op::SoftCap(_)
        | Op::CrossEntropy(_) => node.name.clone(),
    }
}

impl Edge {
    /// What names the edge across models.
    pub fn key(&self) -> (&str, &str, usize) {
        (&self.region, &self.anchor, self.input)
    }

    /// The chain without its scale vectors.
    pub fn skeleton(&self) -> (&str, Vec<&str>) {
        let ops = self.links.iter().filter_map(|link| match link {
            Link::Scale { .. } => None,
            Link::Op(text) => Some(text.as_str()),
        });
        (&self.source, ops.collect())
    }

    /// The scale vectors on it: the number of other ops before each, the vector, and the sizes it multiplies.
    pub fn scales(&self) -> Vec<(usize, ScaleId, &[usize])> {
        let mut depth = 0;
        let mut scales = Vec::new();
        for link in &self.links {
            match link {
                Link::Scale { id, sizes, .. } => scales.push((depth, *id, sizes.as_slice())),
                Link::Op(_) => depth += 1,
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
                Link::Op(_) => depth += 1,
            }
        }
        paths.sort_unstable();
        paths
    }

    /// The chain as mathematics: `rope(attn.q.out_scale ⊙ normalize[head_dim](attn.q))`. At a port, the port's own
    /// path is left out, so that ports treated alike read alike.
    pub fn text(&self) -> String {
        let (own, source) = match &self.port {
            Port::In(part) => (format!("{part}."), self.source.as_str()),
            Port::Out(part) => (format!("{part}."), "y"),
            Port::Term(_) => (String::new(), self.source.as_str()),
        };
        self.links.iter().fold(source.to_owned(), |inner, link| match link {
            Link::Scale { path, .. } => format!("{} ⊙ {inner}", path.strip_prefix(&own).unwrap_or(path)),
            Link::Op(name) => match name.strip_suffix(" +") {
                Some(bias) => format!("({inner} + {})", bias.strip_prefix(&own).unwrap_or(bias)),
                None => format!("{name}({inner})"),
            },
        })
    }
}
