//! The `tensors` statements of a target and its parameters in; where each parameter lies in foreign checkpoints out.

use super::FIRST_LAYER;
use crate::foreign::{Foreign, ForeignTensor, Heads, Layout, View, view};
use crate::resolve::{Origin, Resolved, TensorStatement};
use crate::{Param, ParamId, RegionId};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};

/// The table. What a base says of tensors that this target does not have is no fault; a kind of layer that the stack leaves out
/// has none.
pub fn foreign(resolved: &Resolved, params: &[Param], findings: &mut Vec<Diagnostic>) -> Foreign {
    let mut tensors = Vec::new();
    let num_regions = resolved.kinds.len() + 3;
    for region in (0..num_regions).map(RegionId) {
        tensors.extend(in_force(resolved, params, region, findings));
    }
    for statement in resolved.tensors.statements.iter().filter(|one| one.origin == Origin::Own) {
        unknown(resolved, params, statement, findings);
    }
    duplicates(resolved, params, &tensors, findings);
    tensors.retain(|tensor| {
        let first = tensor.members.first().and_then(|id| params.get(id.0));
        first.is_some_and(|param| is_there(resolved, param.region))
    });
    Foreign { tensors, ignored: resolved.tensors.ignored.clone() }
}

/// Whether the model has the region at all: it is no layer, or of a kind in the stack.
fn is_there(resolved: &Resolved, region: RegionId) -> bool {
    let kind = region.0.checked_sub(FIRST_LAYER).filter(|kind| *kind < resolved.kinds.len());
    kind.is_none_or(|kind| resolved.stack.contains(&kind))
}

/// The foreign tensors of one region: what a later statement says of a tensor holds, and the earlier one falls away.
fn in_force(
    resolved: &Resolved,
    params: &[Param],
    region: RegionId,
    findings: &mut Vec<Diagnostic>,
) -> Vec<ForeignTensor> {
    let mut kept: Vec<ForeignTensor> = Vec::new();
    let here = |statement: &&TensorStatement| is_said_of(resolved, statement, region);
    for statement in resolved.tensors.statements.iter().filter(here) {
        let found = statement.members.iter().map(|(path, _)| find(params, path, region));
        let Some(members) = found.collect::<Option<Vec<ParamId>>>() else { continue };
        kept.retain(|earlier| !earlier.members.iter().any(|member| members.contains(member)));
        let layout = statement_layout(resolved, statement, region);
        let heads = layout.heads;
        let params_of = members.iter().filter_map(|id| params.get(id.0));
        let views: Vec<View> = params_of.map(|param| view(param, heads)).collect();
        if let Some(fault) = misfit(statement, layout, &views, layers_of(resolved, region)) {
            if !findings.contains(&fault) {
                findings.push(fault);
            }
            continue;
        }
        let name = statement.name.clone();
        kept.push(ForeignTensor { name, members, layout, span: statement.span });
    }
    kept
}

/// The layout in the layers of one kind.
fn statement_layout(resolved: &Resolved, statement: &TensorStatement, region: RegionId) -> Layout {
    let num_blocks = statement.num_blocks.at(resolved.first_depth(region)) as usize;
    Layout { num_blocks, ..statement.layout }
}

fn is_said_of(resolved: &Resolved, statement: &TensorStatement, region: RegionId) -> bool {
    debug_assert!(region.0 < resolved.kinds.len() + 3, "embed, the layers, head and loss");
    statement.layer.is_none_or(|layer| declared(resolved, region) == Some(layer))
}

fn find(params: &[Param], path: &str, region: RegionId) -> Option<ParamId> {
    params.iter().position(|param| param.path == path && param.region == region).map(ParamId)
}

/// The number of layers that are declared as a region's is, `None` outside the stack.
fn layers_of(resolved: &Resolved, region: RegionId) -> Option<usize> {
    let layer = declared(resolved, region)?;
    let is_same = |kind: &&usize| resolved.kinds.get(**kind).is_some_and(|kind| kind.layer == layer);
    Some(resolved.stack.iter().filter(is_same).count())
}

/// The declared layer that a region is a kind of, `None` outside the stack.
fn declared(resolved: &Resolved, region: RegionId) -> Option<usize> {
    let kind = region.0.checked_sub(super::FIRST_LAYER)?;
    resolved.kinds.get(kind).map(|kind| kind.layer)
}

/// What is wrong with a statement about parameters of these shapes.
fn misfit(
    statement: &TensorStatement,
    layout: Layout,
    views: &[View],
    layers: Option<usize>,
) -> Option<Diagnostic> {
    let name = &statement.name;
    let placeholder = |message: String, help: &str| {
        Diagnostic::error("misplaced-placeholder", message).at(statement.name_span, "in this name").help(help)
    };
    let first = statement.members.first().map_or("", |(path, _)| path.as_str());
    if name.has_layer() && layers.is_none() {
        return Some(placeholder(
            format!("`{first}` belongs to no layer, so `{{layer}}` stands for nothing"),
            "write the name without `{layer}`",
        ));
    }
    let unsliced = views.iter().zip(&statement.members).find(|(view, _)| view.slices.is_none());
    match layout.heads {
        Heads::Apart => {
            if name.has_expert() {
                return Some(placeholder(
                    "`{expert}` cannot stand where heads are set apart".to_owned(),
                    "no parameter has both experts and heads",
                ));
            }
            if let Some((_, (path, span))) = unsliced {
                return Some(without_heads(path, *span, statement.name_span, name.has_head()));
            }
        }
        Heads::Together if name.has_expert() && unsliced.is_some() => {
            return Some(placeholder(
                format!("`{first}` is not one for each expert, so `{{expert}}` stands for nothing"),
                "write the name without `{expert}`",
            ));
        }
        Heads::Together => {}
    }
    if views.iter().any(|view| view.columns.is_none())
        && layout.orientation == crate::foreign::Orientation::InOut
    {
        let message = format!("`{first}` is a vector, which cannot be transposed");
        return Some(mismatch(message, statement.span));
    }
    let (head, rest) = views.split_first()?;
    for (view, (path, span)) in rest.iter().zip(statement.members.iter().skip(1)) {
        if (view.columns, view.slices) != (head.columns, head.slices) {
            let message = format!(
                "`{first}` and `{path}` cannot lie in one tensor: one has {}, the other {}",
                columns(*head),
                columns(*view)
            );
            return Some(mismatch(message, *span));
        }
    }
    let blocks = layout.num_blocks;
    let (view, (path, span)) =
        views.iter().zip(&statement.members).find(|(view, _)| !view.rows.is_multiple_of(blocks))?;
    let message = format!("`{path}` has {} rows, which {blocks} blocks do not share evenly", view.rows);
    Some(
        Diagnostic::error("rows-not-divisible", message)
            .at(*span, format!("{} rows", view.rows))
            .because(statement.name_span, format!("in {blocks} blocks"))
            .help("the first argument of `interleaved` is how often the parameters take turns: the heads, as a rule"),
    )
}

fn without_heads(path: &str, span: Span, name: Span, is_one_each: bool) -> Diagnostic {
    let (said, instead) =
        if is_one_each { ("`{head}`", "without `{head}`") } else { ("`by_head`", "without `by_head`") };
    Diagnostic::error(
        "dimension-mismatch",
        format!("`{path}` has no heads among its rows, so {said} says nothing"),
    )
    .at(span, "is not made of heads")
    .because(name, format!("{said} sets them apart"))
    .help(format!(
        "write the name {instead}; heads are in the rows of `q`, `k` and `v`, and of what stands after them"
    ))
}

fn mismatch(message: String, span: Span) -> Diagnostic {
    Diagnostic::error("dimension-mismatch", message)
        .at(span, "does not fit")
        .help("give it a name of its own, or correct the layout")
}

fn columns(view: View) -> String {
    let columns = view.columns.map_or("no columns".to_owned(), |columns| format!("{columns} columns"));
    match view.slices {
        Some(slices) => format!("{columns} for each of {slices}"),
        None => columns,
    }
}

/// The fault of the target's own statement about tensors that it does not have.
fn unknown(
    resolved: &Resolved,
    params: &[Param],
    statement: &TensorStatement,
    findings: &mut Vec<Diagnostic>,
) {
    let in_scope = |param: &&Param| is_said_of(resolved, statement, param.region);
    for (path, span) in &statement.members {
        if params.iter().filter(in_scope).any(|param| param.path == *path) {
            continue;
        }
        let paths = params.iter().filter(in_scope).map(|param| param.path.as_str());
        let mut finding = Diagnostic::error("unknown-tensor", format!("there is no tensor `{path}`"))
            .at(*span, "not a parameter of this model");
        if let Some(close) = did_you_mean(path, paths.clone()) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        let part = path.split('.').next().unwrap_or("");
        let near: Vec<String> = paths
            .filter(|known| known.split('.').next() == Some(part))
            .map(|known| format!("`{known}`"))
            .collect();
        if !near.is_empty() {
            finding = finding.help(format!("tensors of `{part}`: {}", near.join(", ")));
        }
        findings.push(finding);
    }
}

/// The faults of parameters that are said to lie in one place.
fn duplicates(
    resolved: &Resolved,
    params: &[Param],
    tensors: &[ForeignTensor],
    findings: &mut Vec<Diagnostic>,
) {
    let mut known: BTreeMap<&str, &ForeignTensor> = BTreeMap::new();
    for tensor in tensors {
        let param = |tensor: &ForeignTensor| tensor.members.first().and_then(|id| params.get(id.0));
        let Some(first) = param(tensor) else { continue };
        let name = tensor.name.as_str();
        let layers = layers_of(resolved, first.region);
        if layers.is_some_and(|layers| layers > 1) && !tensor.name.has_layer() {
            let message = format!("`{}` of every layer would be the one tensor `{name}`", first.path);
            findings.push(
                Diagnostic::error("duplicate-foreign-name", message)
                    .at(tensor.span, "says nothing of the layer")
                    .help("write `{layer}` where the name has the layer's number, from 0"),
            );
            continue;
        }
        let earlier = known.insert(name, tensor).and_then(|tensor| Some((param(tensor)?, tensor.span)));
        let Some((other, span)) = earlier else { continue };
        // The layers of two kinds are never the same.
        if other.region != first.region && tensor.name.has_layer() {
            continue;
        }
        let message = format!("`{}` and `{}` would be the one tensor `{name}`", other.path, first.path);
        let mut finding =
            Diagnostic::error("duplicate-foreign-name", message).at(tensor.span, "the same name");
        if span != tensor.span {
            finding = finding.because(span, "given here already");
        }
        findings.push(finding.help(
            "`{}` in a name is the word of the list; of several that lie in one tensor, say how: `stacked(\"…\")`",
        ));
    }
}
