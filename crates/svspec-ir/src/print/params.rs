//! The parameter table: every tensor with its shape, group and init, runs of layers that are treated alike in one row.

use super::number::{grouped, rounded, shortest};
use super::table::{Align, row, table};
use super::{FORMAT_VERSION, groups, paths};
use crate::dim::num_elements;
use crate::{Assignment, CheckedModel, Init, Instance, ParamId, ParamKind, Role};
use serde::Serialize;

/// The parameters of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParamsView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// In the order of `Model::instances`, by their first tensors.
    pub rows: Vec<ParamRow>,
    /// The numbers of entries.
    pub totals: Totals,
}

/// The tensors of one template that the rules treat alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParamRow {
    /// The template's path.
    pub path: String,
    /// The region's name.
    pub region: String,
    /// Whether these are all layers of that region.
    pub is_whole_region: bool,
    /// The layers, from 0; empty outside the stack.
    pub layers: Vec<usize>,
    /// The shape of each tensor.
    pub shape: Vec<usize>,
    /// The number of entries of all of them.
    pub num_entries: u64,
    /// What it is.
    pub kind: ParamKind,
    /// The proved role, of part of a scale vector.
    pub role: Option<Role>,
    /// The parameter group's name.
    pub group: String,
    /// What steps it.
    pub optimizer: String,
    /// Weight decay.
    pub decay: f64,
    /// Multiplies the learning rate.
    pub lr_multiplier: f64,
    /// Whether clipping applies.
    pub clipped: bool,
    /// How it is filled at step 0.
    pub init: Init,
    /// The decay rule's text.
    pub rule: String,
    /// The decay rule's file and line.
    pub place: String,
}

/// Numbers of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All of them.
    pub all: u64,
    /// The number of tensors.
    pub tensors: u64,
    /// Of weights.
    pub weights: u64,
    /// Of embedding tables.
    pub embeddings: u64,
    /// Of scale vectors.
    pub scales: u64,
    /// Of biases.
    pub biases: u64,
    /// Of routers.
    pub routers: u64,
    /// Of what is added to scores for the choice of experts.
    pub corrections: u64,
}

/// The parameters of `checked` as data.
pub fn view(checked: &CheckedModel) -> ParamsView {
    let mut rows: Vec<(&Assignment, ParamRow)> = Vec::new();
    let mut totals = Totals::default();
    for assignment in checked.assignments() {
        let Instance { param, layer } = assignment.instance;
        let entries = num_entries(checked, param);
        if let Some(kind) = checked.model().params.get(param.0).map(|param| param.kind) {
            totals.count(kind, entries);
        }
        let known = rows.iter_mut().find(|(first, _)| is_alike(first, assignment));
        match (known, layer) {
            (Some((_, known)), Some(layer)) => {
                known.layers.push(layer);
                known.num_entries += entries;
            }
            (Some(_) | None, _) => rows.extend(param_row(checked, assignment).map(|row| (assignment, row))),
        }
    }
    let rows = rows
        .into_iter()
        .map(|(first, row)| ParamRow { is_whole_region: is_whole(checked, first, &row), ..row });
    let rows: Vec<ParamRow> = rows.collect();
    ParamsView { format_version: FORMAT_VERSION, model: checked.model().name.clone(), rows, totals }
}

impl Totals {
    fn count(&mut self, kind: ParamKind, entries: u64) {
        self.all += entries;
        self.tensors += 1;
        match kind {
            ParamKind::Weight => self.weights += entries,
            ParamKind::Embedding => self.embeddings += entries,
            ParamKind::Scale => self.scales += entries,
            ParamKind::Bias => self.biases += entries,
            ParamKind::Router => self.routers += entries,
            ParamKind::Correction => self.corrections += entries,
        }
    }
}

/// Whether two tensors of one template get the same from the same rules.
fn is_alike(a: &Assignment, b: &Assignment) -> bool {
    let of_first = Assignment { instance: a.instance, ..*b };
    a.instance.param == b.instance.param && *a == of_first
}

fn is_whole(checked: &CheckedModel, first: &Assignment, row: &ParamRow) -> bool {
    let param = checked.model().params.get(first.instance.param.0);
    param.is_some_and(|param| paths::layers_of(checked.model(), param.region) == row.layers)
}

fn num_entries(checked: &CheckedModel, param: ParamId) -> u64 {
    checked.model().params.get(param.0).map_or(0, |param| num_elements(&param.dims) as u64)
}

fn param_row(checked: &CheckedModel, assignment: &Assignment) -> Option<ParamRow> {
    let Instance { param: id, layer } = assignment.instance;
    let param = checked.model().params.get(id.0)?;
    let group = checked.groups().iter().find(|group| group.members.contains(&assignment.instance));
    let rule = assignment.decay_rule.and_then(|rule| checked.rules().get(rule));
    Some(ParamRow {
        path: param.path.clone(),
        region: checked
            .model()
            .regions
            .get(param.region.0)
            .map_or_else(String::new, |region| region.name.clone()),
        is_whole_region: false,
        layers: layer.into_iter().collect(),
        shape: param.dims.iter().map(|dim| dim.size).collect(),
        num_entries: num_entries(checked, id),
        kind: param.kind,
        role: role(checked, id),
        group: group.map_or_else(String::new, |group| group.name.clone()),
        optimizer: groups::stepping(assignment.algorithm, assignment.unit, &checked.model().optimizer),
        decay: assignment.decay,
        lr_multiplier: assignment.lr_multiplier,
        clipped: assignment.clipped,
        init: assignment.init,
        rule: rule.map_or_else(String::new, |rule| rule.text.clone()),
        place: rule.map_or_else(String::new, |rule| rule.place.clone()),
    })
}

/// The proved role of the scale vector that `param` is part of.
fn role(checked: &CheckedModel, param: ParamId) -> Option<Role> {
    let owner = checked.model().scales.iter().position(|scale| scale.params.contains(&param))?;
    checked.facts().iter().find(|facts| facts.scale.0 == owner).map(|facts| facts.role)
}

/// The parameters of `checked` as text.
pub fn params(checked: &CheckedModel) -> String {
    let view = view(checked);
    let header = row(["tensor", "shape", "entries", "kind", "group", "decay", "init", "rule"]);
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(view.rows.iter().map(cells)).collect();
    let aligns = [Align::Left, Align::Left, Align::Right, Align::Left, Align::Left, Align::Right];
    table("", &aligns, &rows) + "\n" + &summary(&view.totals)
}

fn cells(row: &ParamRow) -> Vec<String> {
    // A kind of layer that is spread over the stack goes by its name, for its numbers would fill the line.
    let ranges = paths::ranges(&row.layers);
    let name = match row.layers.as_slice() {
        [] => row.path.clone(),
        _ if row.is_whole_region && ranges.contains(',') => format!("layers.{}.{}", row.region, row.path),
        _ => format!("layers.{ranges}.{}", row.path),
    };
    let shape: Vec<String> = row.shape.iter().map(ToString::to_string).collect();
    vec![
        name,
        format!("[{}]", shape.join(", ")),
        grouped(row.num_entries),
        kind(row.kind, row.role).to_owned(),
        row.group.clone(),
        shortest(row.decay),
        init(row.init),
        row.place.clone(),
    ]
}

fn summary(totals: &Totals) -> String {
    let share = if totals.all == 0 { 0.0 } else { 100.0 * totals.scales as f64 / totals.all as f64 };
    let parts = [
        (totals.weights, "weights", String::new()),
        (totals.embeddings, "embedding", String::new()),
        (totals.scales, "scale vectors", format!(" ({share:.4} %)")),
        (totals.biases, "biases", String::new()),
        (totals.routers, "routers", String::new()),
        (totals.corrections, "corrections", String::new()),
    ];
    let texts = parts
        .iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, noun, note)| format!("{} {noun}{note}", grouped(*count)));
    format!(
        "{} entries in {} tensors: {}\n",
        grouped(totals.all),
        grouped(totals.tensors),
        texts.collect::<Vec<_>>().join(", ")
    )
}

fn kind(kind: ParamKind, role: Option<Role>) -> &'static str {
    match (kind, role) {
        (ParamKind::Weight, _) => "weight",
        (ParamKind::Embedding, _) => "embedding",
        (ParamKind::Bias, _) => "bias",
        (ParamKind::Router, _) => "router",
        (ParamKind::Correction, _) => "correction",
        (ParamKind::Scale, Some(Role::Input)) => "input scale",
        (ParamKind::Scale, Some(Role::Output)) => "output scale",
        (ParamKind::Scale, None) => "scale",
    }
}

/// An init as the language writes it, to four digits.
pub fn init(init: Init) -> String {
    match init {
        Init::Normal { std } => format!("normal({})", rounded(std)),
        Init::TruncatedNormal { std } => format!("truncated_normal({})", rounded(std)),
        Init::Uniform { bound } => format!("uniform({})", rounded(bound)),
        Init::Constant(0.0) => "zeros".to_owned(),
        Init::Constant(1.0) => "ones".to_owned(),
        Init::Constant(value) => format!("constant({})", rounded(value)),
    }
}
