//! A node of the graph to what is drawn for it: a shape and a few words.

use super::mark::{Decay, Mark};
use crate::picture::palette::{self, INK};
use crate::picture::svg::{Element, Picture, text_width};
use svspec_ir::op::{Activation, Input, Norm, Op, Operation as _, Scores};
use svspec_ir::{Dim, Model, Node, PerLayer, Region, Role, ScaleForm};

const TITLE_SIZE: f64 = 11.5;
const DETAIL_SIZE: f64 = 9.5;

/// How a card looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Nothing: the residual stream as it enters.
    Stream,
    /// A rectangle: it has a weight, or it is attention.
    Box(Tint),
    /// A rounded rectangle: it has no parameters.
    Pill(Tint),
    /// A long diamond: a scale vector.
    Diamond(Mark),
    /// A circle around a sign: a sum or a product.
    Circle,
}

/// Fill and outline.
pub type Tint = (&'static str, &'static str);

/// One node, drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Its shape.
    pub shape: Shape,
    /// The first line.
    pub title: String,
    /// The second line; empty where there is none.
    pub detail: String,
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
}

impl Card {
    /// A card as large as its words.
    pub fn new(shape: Shape, title: impl Into<String>, detail: impl Into<String>) -> Self {
        let (title, detail) = (title.into(), detail.into());
        let words = text_width(&title, TITLE_SIZE).max(text_width(&detail, DETAIL_SIZE));
        let line = if detail.is_empty() { 22.0 } else { 34.0 };
        let (width, height) = match shape {
            Shape::Stream => (0.0, 0.0),
            Shape::Circle => (20.0, 20.0),
            Shape::Box(_) => ((words + 20.0).max(84.0), line),
            Shape::Pill(_) => ((words + 22.0).max(70.0), line),
            Shape::Diamond(_) => (words + 34.0, line),
        };
        Self { shape, title, detail, width: width.ceil(), height }
    }

    /// Draws it around `centre`.
    pub fn paint(&self, picture: &mut Picture, centre: (f64, f64)) {
        let (x, y) = centre;
        let (left, top) = (x - self.width / 2.0, y - self.height / 2.0);
        let outline = |radius: f64, (fill, line): Tint| {
            Element::rect(left, top, self.width, self.height, radius).with("fill", fill).stroke(line, 1.2)
        };
        let text = match self.shape {
            Shape::Stream => return,
            Shape::Box(tint) => {
                picture.add(outline(3.0, tint));
                INK
            }
            Shape::Pill(tint) => {
                picture.add(outline(self.height / 2.0, tint));
                INK
            }
            Shape::Diamond(mark) => {
                picture.add(diamond(centre, (self.width, self.height), mark));
                INK
            }
            Shape::Circle => {
                let (fill, line) = palette::PLAIN;
                picture.add(Element::circle(centre, self.width / 2.0).with("fill", fill).stroke(line, 1.4));
                picture.add(Element::text(x, y + 5.0, 16.0, &self.title).centred());
                return;
            }
        };
        let title = |base: f64| Element::text(x, base, TITLE_SIZE, &self.title).centred().with("fill", text);
        if self.detail.is_empty() {
            picture.add(title(y + 4.0));
        } else {
            picture.add(title(y - 1.5));
            picture.add(Element::text(x, y + 11.5, DETAIL_SIZE, &self.detail).centred().with("fill", text));
        }
    }
}

/// A scale vector: colour by decay, outline by role.
pub fn diamond(centre: (f64, f64), size: (f64, f64), mark: Mark) -> Element {
    let ((x, y), (half_width, half_height)) = (centre, (size.0 / 2.0, size.1 / 2.0));
    let point = half_height.min(12.0);
    let (left, right, top, bottom) = (x - half_width, x + half_width, y - half_height, y + half_height);
    let corners = [
        (left, y),
        (left + point, top),
        (right - point, top),
        (right, y),
        (right - point, bottom),
        (left + point, bottom),
    ];
    let (fill, line) = match mark.decay {
        Decay::All(_) | Decay::Magnitude(_) => palette::DECAYED,
        Decay::Part(_) => palette::PARTLY_DECAYED,
        Decay::None => palette::UNDECAYED,
    };
    let shape = Element::polygon(&corners).with("fill", fill).stroke(line, 1.8);
    match mark.role {
        Role::Input => shape,
        Role::Output => shape.with("stroke-dasharray", "4 2.5"),
    }
}

/// The card of `node`, a node of `region`. `marks` are those of `model.scales`.
#[expect(clippy::wildcard_enum_match_arm, reason = "an op without a look of its own is drawn as it prints")]
pub fn card(model: &Model, region: &Region, node: &Node, marks: &[Mark]) -> Card {
    let kind = model.regions.iter().position(|other| std::ptr::eq(other, region));
    let depths = model.stack.iter().enumerate().filter(|(_, of)| Some(of.0) == kind);
    let layers: Vec<usize> = depths.map(|(depth, _)| depth).collect();
    let number = |value: &PerLayer| number(value, &layers);
    match &node.op {
        Op::Input(Input::Carried) => Card::new(Shape::Stream, "", ""),
        Op::Input(Input::Tokens) => Card::new(Shape::Pill(palette::PLAIN), "tokens", ""),
        Op::Input(Input::Targets) => Card::new(Shape::Pill(palette::PLAIN), "targets", ""),
        Op::Input(Input::Collected(_)) => Card::new(Shape::Pill(palette::PLAIN), "of all layers", ""),
        Op::Embed(embed) => {
            let sizes =
                model.params.get(embed.table.0).map(|param| sizes(&param.dims, " → ")).unwrap_or_default();
            Card::new(Shape::Box(palette::LINEAR), "embed", sizes)
        }
        Op::Positions(positions) => {
            let sizes = model
                .params
                .get(positions.table.0)
                .map(|param| sizes(&param.dims, " → "))
                .unwrap_or_default();
            Card::new(Shape::Box(palette::LINEAR), "positions", sizes)
        }
        Op::Normalize(normalize) => {
            let statistic = match normalize.norm {
                Norm::Rms => "normalize",
                Norm::Layer => "normalize, mean 0",
            };
            let is_per_head = normalize.num_axes < node.dims.len();
            Card::new(Shape::Pill(palette::NORMALIZE), statistic, if is_per_head { "per head" } else { "" })
        }
        Op::Scale(scale) => scale_card(model, scale.scale.0, marks),
        Op::Bias(bias) => {
            Card::new(Shape::Pill(palette::PLAIN), format!("+ {}", path(model, bias.param.0)), "")
        }
        Op::Linear(linear) => {
            let names: Vec<String> = linear
                .projections
                .iter()
                .map(|p| path(model, p.weight.0).trim_end_matches(".weight").to_owned())
                .collect();
            let input = node.inputs.first().and_then(|input| region.nodes.get(input.0));
            let from = input.map(|input| sizes(&input.dims, " × ")).unwrap_or_default();
            let detail = format!("{from} → {}", sizes(&node.dims, " × "));
            Card::new(Shape::Box(palette::LINEAR), names.join(", "), detail)
        }
        Op::Rope(rope) => {
            Card::new(Shape::Pill(palette::PLAIN), format!("rope θ {}", number(&rope.angles.theta)), "")
        }
        Op::Attention(attention) => {
            let heads = node.dims.first().map_or(0, |heads| heads.size);
            let set = |name: &str, value: &Option<PerLayer>| {
                value.as_ref().map(|value| format!(", {name} {}", number(value))).unwrap_or_default()
            };
            let (window, chunk) = (set("window", &attention.window), set("chunk", &attention.chunk));
            let cap = set("cap", &attention.soft_cap);
            let slopes = attention.alibi.as_ref().map(|_| ", ALiBi").unwrap_or_default();
            let sinks = attention.sinks.map(|_| ", sinks").unwrap_or_default();
            let detail = format!("causal, {heads} heads{window}{chunk}{cap}{slopes}{sinks}");
            Card::new(Shape::Box(palette::ATTENTION), "attention", detail)
        }
        Op::Activation(activation) => {
            Card::new(Shape::Pill(palette::PLAIN), activation_name(*activation), "")
        }
        Op::Mul(_) => Card::new(Shape::Circle, "×", ""),
        Op::Add(_) => Card::new(Shape::Circle, "+", ""),
        Op::Gain(gain) => Card::new(Shape::Pill(palette::PLAIN), format!("× {}", number(&gain.factor)), ""),
        Op::SoftCap(cap) => {
            Card::new(Shape::Pill(palette::PLAIN), format!("soft cap {}", number(&cap.cap)), "")
        }
        Op::Delay(delay) => {
            Card::new(Shape::Pill(palette::PLAIN), format!("delay {}", delay.steps), "tokens before")
        }
        Op::CrossEntropy(_) => Card::new(Shape::Box(palette::PLAIN), "cross entropy", ""),
        Op::Choose(choose) => {
            let groups =
                choose.groups.map(|groups| format!("of {} of {} groups", groups.num_chosen, groups.count));
            let corrected = choose.correction.map(|_| "corrected by load".to_owned());
            let detail = groups.into_iter().chain(corrected).collect::<Vec<_>>().join(", ");
            Card::new(Shape::Pill(palette::PLAIN), format!("top {}", choose.num_chosen), detail)
        }
        Op::Route(route) => {
            let (title, detail) = match (route.scores, route.normalized) {
                (Scores::Softmax, None) => ("softmax", "over all experts"),
                (Scores::Softmax, Some(0.0)) => ("softmax", "over the chosen"),
                (Scores::Softmax, Some(_)) => ("softmax", "sum 1"),
                (Scores::Sigmoid, None) => ("sigmoid", ""),
                (Scores::Sigmoid, Some(_)) => ("sigmoid", "sum 1"),
            };
            Card::new(Shape::Pill(palette::PLAIN), title, detail)
        }
        Op::Dispatch(_) => Card::new(Shape::Pill(palette::PLAIN), "dispatch", "to the chosen"),
        Op::ExpertLinear(op) => {
            let weight = model.params.get(op.weight.0);
            let name = weight.map_or("", |weight| weight.path.trim_end_matches(".weight"));
            let detail = match weight.map(|weight| weight.dims.as_slice()) {
                Some([experts, to, from]) => format!("{} × {} → {}", experts.size, from.size, to.size),
                Some(_) | None => String::new(),
            };
            Card::new(Shape::Box(palette::LINEAR), name, detail)
        }
        Op::ExpertBias(bias) => {
            let title = format!("+ {}", path(model, bias.param.0));
            Card::new(Shape::Pill(palette::PLAIN), title, "for each expert")
        }
        Op::ExpertScale(scale) => scale_card(model, scale.scale.0, marks),
        Op::Balance(_) => Card::new(Shape::Pill(palette::PLAIN), "balance", ""),
        Op::ZLoss(_) => Card::new(Shape::Pill(palette::PLAIN), "z-loss", ""),
        Op::Combine(_) => Card::new(Shape::Pill(palette::PLAIN), "Σ", "weighted, over the chosen"),
        op => printed(op, &node.dims),
    }
}

/// The card of an op that needs no other: its name and its numbers, as prints show them.
fn printed(op: &Op, dims: &[Dim]) -> Card {
    let op = op.operation();
    let attributes = op.attributes(dims).into_iter().map(|(name, value)| format!("{name} {value}"));
    let detail = attributes.collect::<Vec<_>>().join(", ");
    Card::new(Shape::Pill(palette::PLAIN), op.name().replace('_', " "), detail)
}

fn scale_card(model: &Model, index: usize, marks: &[Mark]) -> Card {
    let mark = marks.get(index).copied().unwrap_or(Mark { role: Role::Output, decay: Decay::None });
    let Some(scale) = model.scales.get(index) else {
        return Card::new(Shape::Diamond(mark), "scale", "");
    };
    let form = match scale.form {
        ScaleForm::Direct => "",
        ScaleForm::OnePlus => ", 1 + α",
        ScaleForm::MagnitudeDirection => ", OR",
        ScaleForm::ExpMagnitudeDirection => ", ER",
        ScaleForm::Softplus => ", softplus",
    };
    let size = if scale.dims.is_empty() { "scalar".to_owned() } else { sizes(&scale.dims, " × ") };
    let decay = match mark.decay {
        Decay::All(decay) => format!(", decay {}", short(decay)),
        Decay::Magnitude(decay) => format!(", decay {} on β", short(decay)),
        Decay::Part(decay) => format!(", decay {} in part", short(decay)),
        Decay::None => String::new(),
    };
    Card::new(Shape::Diamond(mark), scale.path.clone(), format!("{size}{form}{decay}"))
}

fn path(model: &Model, param: usize) -> &str {
    model.params.get(param).map_or("", |param| param.path.as_str())
}

fn sizes(dims: &[Dim], between: &str) -> String {
    dims.iter().map(|dim| dim.size.to_string()).collect::<Vec<_>>().join(between)
}

fn activation_name(activation: Activation) -> &'static str {
    match activation.name() {
        "gelu_tanh" => "gelu (tanh)",
        "gelu_quick" => "gelu (sigmoid)",
        "relu2" => "relu²",
        name => name,
    }
}

/// A number of these layers: `2`, or `0.5 … 1 by layer` where they differ.
fn number(value: &PerLayer, layers: &[usize]) -> String {
    match value {
        PerLayer::Uniform(value) => short(*value),
        PerLayer::Each(_) => {
            let values = || layers.iter().map(|layer| value.at(Some(*layer)));
            let (low, high) =
                (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
            format!("{} … {} by layer", short(low), short(high))
        }
    }
}

/// Up to four significant decimals, no trailing zeros: `0.1`, `27.7128`, `10000`.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.to_owned()
}
