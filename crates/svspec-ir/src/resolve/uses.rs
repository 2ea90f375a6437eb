//! Equations in; where each part is used, and so in which layers its numbers are asked for, out.

use super::number::Scope;
use super::resolved::{Formula, Layer};
use super::unused::used;
use crate::PerLayer;
use std::collections::BTreeSet;
use svspec_syntax::ast::Expr;

/// Where a part is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// In the embedding's or the head's equation.
    Outside,
    /// In these layers of the stack, from 0; in none, if no layer that is in the stack uses it.
    Layers(Vec<usize>),
}

impl Use {
    /// The layer in which its numbers are asked for first: of a part that nothing uses, the first there is.
    pub fn first(&self) -> Option<usize> {
        match self {
            Self::Outside => None,
            Self::Layers(layers) => Some(layers.first().copied().unwrap_or(0)),
        }
    }

    /// Whether it is used outside the stack.
    pub fn is_outside(&self) -> bool {
        match self {
            Self::Outside => true,
            Self::Layers(_) => false,
        }
    }

    /// The value of an expression wherever the part is used.
    pub fn number(
        &self,
        scope: &mut Scope<'_>,
        expr: &Expr,
        check: impl Fn(&mut Scope<'_>, f64) -> Option<f64>,
    ) -> Option<PerLayer> {
        match self {
            Self::Outside => {
                let value = scope.number(expr)?;
                check(scope, value).map(PerLayer::Uniform)
            }
            Self::Layers(layers) => scope.per_layer(expr, |layer| layers.contains(&layer), check),
        }
    }
}

/// The uses of `num_parts` parts. `depths` are those of each of `layers`, from 0; an equation at fault uses nothing.
pub fn uses(
    num_parts: usize,
    outside: [Option<&Formula>; 2],
    layers: &[Option<Layer>],
    depths: &[Vec<usize>],
) -> Vec<Use> {
    let mut outer = BTreeSet::new();
    outside.into_iter().flatten().for_each(|formula| used(formula, &mut outer));
    // `unembed` comes last; no layer may use it.
    outer.extend(num_parts.checked_sub(1));
    let in_layers: Vec<(BTreeSet<usize>, &Vec<usize>)> = layers
        .iter()
        .zip(depths)
        .filter_map(|(layer, depths)| Some((parts_of(layer.as_ref()?), depths)))
        .collect();
    let of_part = |part: usize| {
        let using = in_layers.iter().filter(|(parts, _)| parts.contains(&part));
        let layers: BTreeSet<usize> = using.flat_map(|(_, depths)| depths.iter().copied()).collect();
        if layers.is_empty() && outer.contains(&part) {
            Use::Outside
        } else {
            Use::Layers(layers.into_iter().collect())
        }
    };
    (0..num_parts).map(of_part).collect()
}

/// The parts that a layer's equations apply.
pub fn parts_of(layer: &Layer) -> BTreeSet<usize> {
    let mut parts = BTreeSet::new();
    layer.equations.iter().for_each(|equation| used(&equation.formula, &mut parts));
    parts
}
