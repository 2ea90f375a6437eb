//! The parameter groups: what steps each, how fast, how Muon reads its tensors, and what of them is kept at norm 1.

use super::layers;
use crate::{literal, print};
use proc_macro2::TokenStream;
use quote::quote;
use std::ops::Range;
use svspec_ir::group::RuleText;
use svspec_ir::optimizer::{Muon, MuonScale};
use svspec_ir::{Algorithm, CheckedModel, Group, Instance, Matrices, Optimizer, Param};

/// `GROUPS`.
pub(super) fn table(checked: &CheckedModel) -> TokenStream {
    let optimizer = &checked.model().optimizer;
    let rows = checked.groups().iter().map(|group| {
        let name = &group.name;
        let algorithm = algorithm(group.algorithm, optimizer);
        let lr = literal::float(optimizer.peak(group.algorithm) * group.lr_multiplier);
        let decay = literal::float(group.decay);
        let clipped = group.clipped;
        let rule = rule_text(group, checked.rules());
        quote! {
            GroupRow {
                name: #name,
                algorithm: #algorithm,
                lr: #lr,
                weight_decay: #decay,
                clipped: #clipped,
                rule: #rule,
            }
        }
    });
    let (blank, doc) =
        (print::blank(), print::docs(["What the optimizer does to each group, and the rules that say so."]));
    quote!(#blank #doc const GROUPS: &[GroupRow] = &[#(#rows),*];)
}

fn algorithm(algorithm: Algorithm, optimizer: &Optimizer) -> TokenStream {
    match algorithm {
        Algorithm::AdamW { betas, eps } => {
            let [beta1, beta2, eps] = [betas.0, betas.1, eps].map(literal::float);
            quote!(Algorithm::AdamW { betas: (#beta1, #beta2), eps: #eps })
        }
        Algorithm::Muon(_) => {
            let Muon { momentum, nesterov, ns_steps, scale, .. } = optimizer.muon.unwrap_or_default();
            let momentum = literal::float(momentum);
            let ns_steps = literal::integer(u64::from(ns_steps));
            let scale = match scale {
                MuonScale::Rms(rms) => {
                    let rms = literal::float(rms);
                    quote!(MuonScale::Rms(#rms))
                }
                MuonScale::SqrtRatio => quote!(MuonScale::SqrtRatio),
            };
            quote! {
                Algorithm::Muon(Muon {
                    momentum: #momentum,
                    nesterov: #nesterov,
                    ns_steps: #ns_steps,
                    scale: #scale,
                })
            }
        }
        Algorithm::Sgd => {
            let sgd = optimizer.sgd.unwrap_or_default();
            let (momentum, nesterov) = (literal::float(sgd.momentum), sgd.nesterov);
            quote!(Algorithm::Sgd { momentum: #momentum, nesterov: #nesterov })
        }
        Algorithm::Load => quote!(Algorithm::Load),
    }
}

/// The rules that made a group, decay's first; of what no rule reaches, what moves it.
pub fn rule_text(group: &Group, rules: &[RuleText]) -> String {
    if group.algorithm == Algorithm::Load {
        return "moved by the load of experts".to_owned();
    }
    let texts: Vec<&str> =
        group.rules.iter().filter_map(|&rule| rules.get(rule)).map(|rule| rule.text.as_str()).collect();
    texts.join("; ")
}

/// Tensors of one parameter that Muon reads alike.
struct MatrixRow<'a> {
    param: &'a Param,
    matrices: Matrices,
    layers: Vec<Option<usize>>,
}

/// Those that are not one matrix `[out, in]`.
fn matrix_rows(checked: &CheckedModel) -> Vec<MatrixRow<'_>> {
    let mut rows: Vec<MatrixRow<'_>> = Vec::new();
    for assignment in checked.assignments() {
        let Algorithm::Muon(split) = assignment.algorithm else { continue };
        let Some(param) = checked.model().params.get(assignment.instance.param.0) else { continue };
        let matrices = Matrices::of(param, split).expect("the checker found heads to split by");
        if matrices == Matrices::PLAIN {
            continue;
        }
        let layer = assignment.instance.layer;
        match rows.iter_mut().find(|row| std::ptr::eq(row.param, param) && row.matrices == matrices) {
            Some(row) => row.layers.push(layer),
            None => rows.push(MatrixRow { param, matrices, layers: vec![layer] }),
        }
    }
    rows
}

/// `MATRICES`.
pub(super) fn matrices(checked: &CheckedModel) -> TokenStream {
    let rows = matrix_rows(checked).into_iter().map(|row| {
        let path = &row.param.path;
        let layers = layers(&row.layers);
        let stacked = literal::optional(row.matrices.stacked.map(|axis| literal::integer(axis as u64)));
        let num_out = literal::integer(row.matrices.num_out as u64);
        quote! {
            MatrixRow { path: #path, layers: #layers, matrices: Matrices { stacked: #stacked, num_out: #num_out } }
        }
    });
    let doc = "How Muon reads tensors that are not one matrix of outputs by inputs.";
    let (blank, doc) = (print::blank(), print::docs([doc]));
    quote!(#blank #doc const MATRICES: &[MatrixRow] = &[#(#rows),*];)
}

/// Tensors of one parameter that are kept at norm 1 alike.
struct UnitRow<'a> {
    param: &'a Param,
    axes: Range<usize>,
    layers: Vec<Option<usize>>,
}

/// `UNITS`.
pub(super) fn units(checked: &CheckedModel) -> TokenStream {
    let mut rows: Vec<UnitRow<'_>> = Vec::new();
    for assignment in checked.assignments() {
        let Instance { param, layer } = assignment.instance;
        let Some((param, unit)) = checked.model().params.get(param.0).zip(assignment.unit) else { continue };
        let axes = unit.axes(param).expect("the checker found more than one entry");
        match rows.iter_mut().find(|row| std::ptr::eq(row.param, param) && row.axes == axes) {
            Some(row) => row.layers.push(layer),
            None => rows.push(UnitRow { param, axes, layers: vec![layer] }),
        }
    }
    let rows = rows.into_iter().map(|row| {
        let (path, layers) = (&row.param.path, layers(&row.layers));
        let axes = row.axes.map(|axis| literal::integer(axis as u64));
        quote!(UnitRow { path: #path, layers: #layers, axes: &[#(#axes),*] })
    });
    let doc = "What has norm 1 over some axes, at step 0 and after every step.";
    let (blank, doc) = (print::blank(), print::docs([doc]));
    quote!(#blank #doc const UNITS: &[UnitRow] = &[#(#rows),*];)
}

/// The names that only some tables need: of matrices, and of Muon's constants.
pub(super) fn imports(checked: &CheckedModel) -> (TokenStream, TokenStream) {
    let uses_muon = checked.groups().iter().any(|group| match group.algorithm {
        Algorithm::Muon(_) => true,
        Algorithm::AdamW { .. } | Algorithm::Sgd | Algorithm::Load => false,
    });
    let of_matrices = if matrix_rows(checked).is_empty() { quote!() } else { quote!(Matrices,) };
    let of_muon = if uses_muon { quote!(Muon, MuonScale,) } else { quote!() };
    (of_matrices, of_muon)
}
