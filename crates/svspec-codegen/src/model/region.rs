//! One region to the body of a function: a statement per node, a paragraph per part, the last node as the result.

use super::fields::Fields;
use super::scope::{LayerConstant, Scope, Surroundings, Variable};
use crate::op::{self, Emitted};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeSet;
use svspec_ir::op::Input;
use svspec_ir::{Node, Op, Region, RegionKind, SideId, ValueId};

/// A function's inside.
#[derive(Debug)]
pub struct Body {
    /// The statements.
    pub statements: TokenStream,
    /// The result, an expression.
    pub result: TokenStream,
    /// The argument that carries the previous region's output, or the token ids.
    pub argument: Ident,
    /// The argument that carries the ids to predict.
    pub targets: Ident,
    /// The constants that a layer must hold.
    pub layer_constants: Vec<LayerConstant>,
    /// In the loss region the names of what the layers leave.
    pub collected: Vec<(SideId, Ident)>,
    /// There, too, the variable of each side loss.
    pub side: Vec<Ident>,
}

/// The body for `region`, whose parameters are `fields` of `self`.
pub fn body(around: Surroundings<'_>, region: &Region, fields: &Fields<'_>) -> Body {
    let mut scope = Scope::new(around, region, fields);
    let live = live_values(region);
    let mut part = "";
    let mut pending = TokenStream::new();
    let mut result = TokenStream::new();
    for (index, node) in region.nodes.iter().enumerate() {
        let id = ValueId(index);
        if !live.contains(&id) {
            continue;
        }
        let top = node.part.split('.').next().unwrap_or("");
        if region.kind == RegionKind::Layer && !top.is_empty() && top != part {
            part = top;
            pending = scope.paragraph(&title(region, part));
        }
        let first_new = scope.statements.len();
        match op::emit(&mut scope, id, node) {
            Emitted::Known(variable) => scope.define(id, variable),
            Emitted::Later => {}
            Emitted::Expression(expression) if id == region.output => result = expression,
            Emitted::Expression(expression) => {
                let name = scope.variable(&node.name, &node.dims);
                scope.statements.push(quote!(let #name = #expression;));
                scope.define(id, Variable::Owned(name));
            }
        }
        if let Some(statement) = scope.statements.get_mut(first_new) {
            let first = std::mem::take(&mut pending);
            *statement = quote!(#first #statement);
        }
    }
    if result.is_empty() {
        result = scope.owned(region.output);
    }
    if !region.side.is_empty() {
        let name = scope.variable("result", scope.dims(region.output));
        scope.statements.push(quote!(#pending let #name = #result;));
        pending = TokenStream::new();
        let mut paragraph = scope.paragraph("What the losses read.");
        for side in &region.side {
            let (field, value) = (around.collected.field(side.id), scope.owned(side.value));
            let paragraph = std::mem::take(&mut paragraph);
            scope.statements.push(quote!(#paragraph collected.#field.push(#value);));
        }
        result = quote!(#name);
    }
    let statements = std::mem::take(&mut scope.statements);
    let side = region.losses.iter().map(|side| scope.receiver(side.value)).collect();
    let given = [Input::Carried, Input::Tokens];
    let argument = given.into_iter().find_map(|input| scope.argument_name(input).cloned());
    let targets = scope.argument_name(Input::Targets).cloned();
    Body {
        statements: quote!(#(#statements)*),
        result: quote!(#pending #result),
        argument: argument.unwrap_or_else(|| format_ident!("_x_btd")),
        targets: targets.unwrap_or_else(|| format_ident!("_targets_bt")),
        collected: scope.collected(),
        side,
        layer_constants: scope.layer_constants,
    }
}

/// The nodes that what leaves the region depends on.
pub fn live_values(region: &Region) -> BTreeSet<ValueId> {
    let mut live: BTreeSet<ValueId> = region.results().collect();
    for (index, node) in region.nodes.iter().enumerate().rev() {
        if live.contains(&ValueId(index)) {
            live.extend(&node.inputs);
        }
    }
    live
}

/// What a paragraph is about: the part, and what its ops make of it.
fn title(region: &Region, part: &str) -> String {
    let inside = |node: &&Node| node.part.split('.').next() == Some(part);
    let has = |wanted: fn(&Op) -> bool| region.nodes.iter().filter(inside).any(|node| wanted(&node.op));
    let is_attention = has(|op| matches!(op, Op::Attention(_)));
    let num_linears =
        region.nodes.iter().filter(inside).filter(|node| matches!(node.op, Op::Linear(_))).count();
    if has(|op| matches!(op, Op::Combine(_))) {
        format!("`{part}`: mixture of experts.")
    } else if has(|op| matches!(op, Op::ExpertLinear(_))) {
        format!("`{part}`: what an expert is.")
    } else if is_attention {
        format!("`{part}`: attention.")
    } else if num_linears > 1 || (num_linears == 1 && has(|op| matches!(op, Op::Activation(_)))) {
        // One alone is the last map, where the first are multiplied together with another part's.
        format!("`{part}`: feed-forward.")
    } else if num_linears == 1 {
        format!("`{part}`: a linear map.")
    } else if has(|op| matches!(op, Op::Normalize(_))) {
        format!("`{part}`: normalisation.")
    } else {
        format!("`{part}`.")
    }
}
