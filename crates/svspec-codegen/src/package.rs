//! The files of fixed shape: each template filled with the model's names and numbers.

use crate::options::SpecSource;
use crate::params::rule_text;
use crate::{GenerateError, header, literal, lock};
use serde::Serialize;
use svspec_ir::cost::CostReport;
use svspec_ir::dim::num_elements;
use svspec_ir::{CheckedModel, Group, Model, Train, print};
use tera::{Context, Tera};

/// Output path and template; the template's own path is the output's and `.tera`.
const TEMPLATES: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("../../../templates/Cargo.toml.tera")),
    ("README.md", include_str!("../../../templates/README.md.tera")),
    ("build.rs", include_str!("../../../templates/build.rs.tera")),
    ("rustfmt.toml", include_str!("../../../templates/rustfmt.toml.tera")),
    ("src/lib.rs", include_str!("../../../templates/src/lib.rs.tera")),
    ("src/main.rs", include_str!("../../../templates/src/main.rs.tera")),
    ("tests/groups.rs", include_str!("../../../templates/tests/groups.rs.tera")),
    ("tests/schedules.rs", include_str!("../../../templates/tests/schedules.rs.tera")),
];

/// A row of the README's table.
#[derive(Debug, Serialize)]
struct GroupLine<'a> {
    name: &'a str,
    optimizer: String,
    lr: String,
    decay: f64,
    clipped: &'static str,
    num_tensors: usize,
    num_params: String,
    rule: String,
}

/// What the templates may name.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    name: &'a str,
    crate_name: &'a str,
    about: String,
    provenance: String,
    spec_file: &'a str,
    tch_version: &'a str,
    num_params: String,
    num_scale_params: String,
    groups: Vec<GroupLine<'a>>,
    steps: Vec<StepLine>,
}

/// What the compiler says of a step: the shares of the peak rate and of the decay, in billionths.
#[derive(Debug, Serialize)]
struct StepLine {
    step: String,
    lr: String,
    decay: String,
}

/// The path and text of each.
pub fn emit(
    checked: &CheckedModel,
    cost: &CostReport,
    spec: &SpecSource,
) -> Result<Vec<(String, String)>, GenerateError> {
    let model = checked.model();
    let facts = Facts {
        name: &model.name,
        crate_name: &model.name,
        about: about(model),
        provenance: header::provenance(spec, &model.name),
        spec_file: &spec.file_name,
        tch_version: lock::tch_version()?,
        num_params: literal::grouped(&cost.num_params.to_string()),
        num_scale_params: literal::grouped(&cost.num_scale_params.to_string()),
        groups: checked.groups().iter().map(|group| line(checked, group)).collect(),
        steps: steps(&model.train),
    };
    let fault = |file: &str| {
        let file = file.to_owned();
        move |source: tera::Error| GenerateError::Template { file, source }
    };
    let context = Context::from_serialize(&facts).map_err(fault("all"))?;
    let mut files = Vec::new();
    for (path, template) in TEMPLATES {
        let text = Tera::one_off(template, &context, false).map_err(fault(path))?;
        files.push((path.to_owned(), text));
    }
    Ok(files)
}

/// The steps at which the schedules turn, those beside them, and some between.
fn steps(train: &Train) -> Vec<StepLine> {
    const BETWEEN: u64 = 8;
    let turns = train.schedule.turns(train.steps).into_iter().chain(train.decay_schedule.turns(train.steps));
    let mut steps: Vec<u64> = turns.flat_map(|step| [step.saturating_sub(1), step, step + 1]).collect();
    steps.extend((0..=BETWEEN).map(|part| train.steps / BETWEEN * part));
    steps.retain(|step| *step < train.steps);
    steps.sort_unstable();
    steps.dedup();
    let billionths = |factor: f64| literal::grouped(&format!("{:.0}", factor * 1e9));
    let line = |step: u64| StepLine {
        step: literal::grouped(&step.to_string()),
        lr: billionths(train.schedule.factor(step, train.steps)),
        decay: billionths(train.decay_schedule.factor(step, train.steps)),
    };
    steps.into_iter().map(line).collect()
}

fn about(model: &Model) -> String {
    let lines: Vec<&str> = model.doc.iter().map(|line| line.trim()).collect();
    lines.join("\n")
}

fn line<'a>(checked: &'a CheckedModel, group: &'a Group) -> GroupLine<'a> {
    let (params, optimizer) = (&checked.model().params, &checked.model().optimizer);
    let sizes = group.members.iter().filter_map(|member| params.get(member.param.0));
    let num_params: usize = sizes.map(|param| num_elements(&param.dims)).sum();
    GroupLine {
        name: &group.name,
        optimizer: print::groups::stepping(group.algorithm, group.unit, optimizer),
        lr: print::number::shortest(optimizer.peak(group.algorithm) * group.lr_multiplier),
        decay: group.decay,
        clipped: if group.clipped { "yes" } else { "no" },
        num_tensors: group.members.len(),
        num_params: literal::grouped(&num_params.to_string()),
        rule: rule_text(group, checked.rules()),
    }
}
