//! A checked model to the text of `src/params.rs`: the tables that the optimizer and the telemetry run on.

mod absorbers;
mod groups;

pub use groups::rule_text;

use crate::model::constants::Constants;
use crate::options::SpecSource;
use crate::{GenerateError, foreign, header, literal, print};
use absorbers::Absorber;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeMap;
use svspec_ir::cost::CostReport;
use svspec_ir::{Assignment, CheckedModel, Init, Instance, Param, Role, ScaleForm, ScaleVector, Site};

/// The file.
pub fn emit(
    checked: &CheckedModel,
    constants: &Constants,
    cost: &CostReport,
    spec: &SpecSource,
) -> Result<String, GenerateError> {
    let model = checked.model();
    let docs = [
        format!("The tables of `{}`: its parameters, their groups, its scale vectors.", model.name),
        header::provenance(spec, &model.name),
    ];
    // Of each scale vector, in the model's order.
    let absorbers: Vec<Vec<Absorber>> =
        checked.facts().iter().map(|facts| absorbers::absorbers(checked, facts)).collect();
    let imports = imports(checked, constants, &absorbers);
    let spec_table = spec_table(checked, cost, spec);
    let (params, scales) = (params_table(checked, constants), scales_table(checked, &absorbers));
    let (groups, matrices, units) =
        (groups::table(checked), groups::matrices(checked), groups::units(checked));
    let foreign = foreign::table(model);
    print::file(
        "src/params.rs",
        &docs,
        quote!(#imports #spec_table #params #groups #matrices #units #scales #foreign),
    )
}

/// The most that stands between the braces of a line of imports, so that rustfmt does not break it.
const IMPORT_WIDTH: usize = 67;
/// How many names may stand on one line: the first number that fits, and leaves no name alone.
const NAMES_PER_IMPORT: [usize; 3] = [5, 4, 3];

fn imports(checked: &CheckedModel, constants: &Constants, absorbers: &[Vec<Absorber>]) -> TokenStream {
    let model = checked.model();
    let dims = model.params.iter().flat_map(|param| &param.dims);
    let mut names: Vec<String> =
        dims.filter_map(|dim| constants.name(dim)).map(ToString::to_string).collect();
    names.extend(["CONTEXT", "NUM_LAYERS", "VOCAB"].map(str::to_owned));
    names.sort_by_key(|name| version_key(name));
    names.dedup();
    let lines = import_lines(&names).into_iter().map(|names| {
        let names = names.iter().map(|name| format_ident!("{name}"));
        quote!(use crate::model::{#(#names),*};)
    });
    let (of_matrices, of_muon) = groups::imports(checked);
    let of_scales = if model.scales.is_empty() { quote!() } else { quote!(Role, ScaleForm,) };
    let mut absorbers = absorbers.iter().flatten().peekable();
    let folds = absorbers.peek().is_some();
    let of_absorbers = if folds { quote!(Absorber,) } else { quote!() };
    let of_blocks = if absorbers.any(Absorber::has_blocks) { quote!(Block,) } else { quote!() };
    let of_entries = if folds { quote!(Entries,) } else { quote!() };
    let of_foreign = foreign::imports(&model.foreign);
    let blank = print::blank();
    quote! {
        #blank
        #(#lines)*
        use crate::training::TRAINING;
        #of_foreign
        use svspec_runtime::spec::{
            #of_absorbers Algorithm, #of_blocks #of_entries GroupRow, Init, Layers, #of_matrices MatrixRow, #of_muon ParamRow,
            #of_scales ScaleRow, Spec, UnitRow
        };
    }
}

/// The names line by line. None stands alone, which rustfmt would write without braces, and so sort to another place.
fn import_lines(names: &[String]) -> Vec<&[String]> {
    let fits = |names: &[String]| names.join(", ").len() <= IMPORT_WIDTH;
    let is_even = |size: &usize| names.len() % size != 1 && names.chunks(*size).all(fits);
    if let Some(size) = NAMES_PER_IMPORT.into_iter().find(is_even) {
        return names.chunks(size).collect();
    }
    let (first, rest) = names.split_at(if names.len().is_multiple_of(2) { 0 } else { 3.min(names.len()) });
    [first].into_iter().filter(|first| !first.is_empty()).chain(rest.chunks(2)).collect()
}

/// The order in which rustfmt sorts imports: numbers at the end of a name by value.
fn version_key(name: &str) -> (String, u64) {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    (stem.to_owned(), name.get(stem.len()..).and_then(|digits| digits.parse().ok()).unwrap_or(0))
}

fn spec_table(checked: &CheckedModel, cost: &CostReport, spec: &SpecSource) -> TokenStream {
    let name = &checked.model().name;
    let hash = header::content_hash(spec);
    let flops = literal::float(cost.flops.training);
    let document_end = checked.model().document_end.map(|token| literal::integer(token as u64));
    let document_end = literal::optional(document_end);
    let (blank, doc) = (print::blank(), print::docs(["All that the trainer needs to know of the model."]));
    quote! {
        #blank
        #doc
        pub static SPEC: Spec = Spec {
            name: #name,
            hash: #hash,
            vocab: VOCAB,
            context: CONTEXT,
            num_layers: NUM_LAYERS,
            document_end: #document_end,
            params: PARAMS,
            groups: GROUPS,
            matrices: MATRICES,
            units: UNITS,
            scales: SCALES,
            training: TRAINING,
            flops_per_token: #flops,
        };
    }
}

/// Tensors of one parameter that are treated alike.
struct Row<'a> {
    param: &'a Param,
    group: usize,
    init: Init,
    layers: Vec<Option<usize>>,
}

fn rows(checked: &CheckedModel) -> Vec<Row<'_>> {
    let model = checked.model();
    let groups: BTreeMap<Instance, usize> = checked
        .groups()
        .iter()
        .enumerate()
        .flat_map(|(index, group)| group.members.iter().map(move |&member| (member, index)))
        .collect();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for Assignment { instance, init, .. } in checked.assignments() {
        let Some(param) = model.params.get(instance.param.0) else { continue };
        let group = groups.get(instance).copied().expect("the checker put every tensor into a group");
        let family = |param: &Param| model.regions.get(param.region.0).map(|region| &region.family);
        let is_same = |other: &Param| {
            other.path == param.path && other.dims == param.dims && family(other) == family(param)
        };
        let is_alike = |row: &&mut Row<'_>| is_same(row.param) && row.group == group && row.init == *init;
        match rows.iter_mut().find(is_alike) {
            Some(row) => row.layers.push(instance.layer),
            None => rows.push(Row { param, group, init: *init, layers: vec![instance.layer] }),
        }
    }
    rows
}

fn params_table(checked: &CheckedModel, constants: &Constants) -> TokenStream {
    let rows = rows(checked).into_iter().map(|row| {
        let path = &row.param.path;
        let layers = layers(&row.layers);
        let shape = constants.shape(&row.param.dims);
        let group = literal::integer(row.group as u64);
        let init = match row.init {
            Init::Normal { std } => {
                let std = literal::float(std);
                quote!(Init::Normal(#std))
            }
            Init::TruncatedNormal { std } => {
                let std = literal::float(std);
                quote!(Init::TruncatedNormal(#std))
            }
            Init::Uniform { bound } => {
                let bound = literal::float(bound);
                quote!(Init::Uniform(#bound))
            }
            Init::Constant(value) => {
                let value = literal::float(value);
                quote!(Init::Constant(#value))
            }
        };
        quote!(ParamRow { path: #path, layers: #layers, shape: &[#shape], group: #group, init: #init })
    });
    let (blank, doc) = (print::blank(), print::docs(["Every parameter; `group` is an index into `GROUPS`."]));
    quote!(#blank #doc const PARAMS: &[ParamRow] = &[#(#rows),*];)
}

/// The tensors of a row: one outside the stack, or a run of layers, or a list.
pub fn layers(layers: &[Option<usize>]) -> TokenStream {
    let depths: Vec<usize> = layers.iter().flatten().copied().collect();
    let (Some(&first), Some(&last)) = (depths.first(), depths.last()) else { return quote!(Layers::Outside) };
    if last - first + 1 == depths.len() {
        let (start, end) = (literal::integer(first as u64), literal::integer(last as u64 + 1));
        quote!(Layers::Range(#start, #end))
    } else {
        let depths = depths.into_iter().map(|depth| literal::integer(depth as u64));
        quote!(Layers::List(&[#(#depths),*]))
    }
}

fn scales_table(checked: &CheckedModel, absorbers: &[Vec<Absorber>]) -> TokenStream {
    let model = checked.model();
    // Kinds of one layer have the same vectors, as a rule: they are one row.
    let family = |scale: &ScaleVector| model.regions.get(scale.region.0).map(|region| &region.family);
    let mut vectors: Vec<(&ScaleVector, Role, &[Absorber], Vec<usize>)> = Vec::new();
    for ((scale, facts), absorbers) in model.scales.iter().zip(checked.facts()).zip(absorbers) {
        let depths = model.stack.iter().enumerate().filter(|(_, kind)| **kind == scale.region);
        let depths: Vec<usize> = depths.map(|(depth, _)| depth).collect();
        let is_alike = |(known, role, others, _): &&mut (&ScaleVector, Role, &[Absorber], Vec<usize>)| {
            (&known.path, family(known), known.form, *role, *others)
                == (&scale.path, family(scale), scale.form, facts.role, absorbers.as_slice())
        };
        match vectors.iter_mut().find(is_alike) {
            Some((.., layers)) => layers.extend(depths),
            None => vectors.push((scale, facts.role, absorbers, depths)),
        }
    }
    let rows = vectors.into_iter().map(|(scale, role, absorbers, mut depths)| {
        let path = &scale.path;
        depths.sort_unstable();
        let layers = layers(&depths.into_iter().map(Some).collect::<Vec<_>>());
        let role = match role {
            Role::Input => quote!(Role::Input),
            Role::Output => quote!(Role::Output),
        };
        let form = match scale.form {
            ScaleForm::Direct => quote!(ScaleForm::Direct),
            ScaleForm::OnePlus => quote!(ScaleForm::OnePlus),
            ScaleForm::MagnitudeDirection => quote!(ScaleForm::MagnitudeDirection),
            ScaleForm::ExpMagnitudeDirection => quote!(ScaleForm::ExpMagnitudeDirection),
            ScaleForm::Softplus => quote!(ScaleForm::Softplus),
        };
        let site = match scale.site {
            Site::Norm => "norm",
            Site::LinearInput => "linear_input",
            Site::LinearOutput => "linear_output",
            Site::QkHead => "qk_head",
            Site::Residual => "residual",
        };
        let absorbers = absorbers.iter().map(Absorber::row);
        quote! {
            ScaleRow {
                path: #path,
                layers: #layers,
                role: #role,
                form: #form,
                site: #site,
                absorbers: &[#(#absorbers),*],
            }
        }
    });
    let (blank, doc) = (print::blank(), print::docs(["Every scale vector, and the role proved of it."]));
    // A list of one in a list is broken by rustfmt and by what prints here in two ways.
    quote!(#blank #doc #[rustfmt::skip] const SCALES: &[ScaleRow] = &[#(#rows),*];)
}
