//! Whether a rule is about a tensor.

use super::Tensor;
use crate::rule::{Condition, ResolvedRule, Selector, Test, Verb};
use crate::{Absorption, Param, ParamKind, Unit};
use svspec_syntax::ast::Comparison;

/// Whether some selector and every condition of `rule` hold of `tensor`, and its value is defined there.
pub(super) fn matches(rule: &ResolvedRule, tensor: &Tensor<'_>) -> bool {
    let is_defined = rule.verb.amount().is_none_or(|amount| {
        (!amount.is_per_layer() || tensor.instance.layer.is_some())
            && (!amount.names_fan() || tensor.param.fans().is_some())
    });
    is_defined
        && has_lines(&rule.verb, tensor.param)
        && rule.selectors.iter().any(|selector| selects(selector, tensor))
        && rule.conditions.iter().all(|condition| holds(condition, tensor))
}

/// Whether there is something for a rule about norms to divide; what is not about norms may be about any tensor.
fn has_lines(verb: &Verb, param: &Param) -> bool {
    match verb {
        Verb::Unit(Some(unit)) => unit.axes(param).is_some(),
        Verb::Unit(None) => [Unit::Rows, Unit::Columns].iter().any(|unit| unit.axes(param).is_some()),
        Verb::Decay(_)
        | Verb::LearningRate(_)
        | Verb::Init(_)
        | Verb::Use(_)
        | Verb::Betas(_)
        | Verb::Eps(_)
        | Verb::Clip(_) => true,
    }
}

fn selects(selector: &Selector, tensor: &Tensor<'_>) -> bool {
    match selector {
        Selector::All => true,
        Selector::Kind(kind) => tensor.param.kind == *kind,
        Selector::Path(segments) => {
            let mut path = tensor.param.path.split('.');
            segments.iter().all(|segment| path.next() == Some(segment))
        }
    }
}

/// A condition about scale vectors does not hold of another tensor even when it is negated: `not absorbable` on a
/// weight would be true of every weight, which nobody means.
fn holds(condition: &Condition, tensor: &Tensor<'_>) -> bool {
    let truth = match condition.test {
        Test::Layer(comparison, depth) => tensor.instance.layer.map(|layer| {
            let order = ((layer + 1) as f64).total_cmp(&depth);
            match comparison {
                Comparison::Equal => order.is_eq(),
                Comparison::NotEqual => order.is_ne(),
                Comparison::Less => order.is_lt(),
                Comparison::LessEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterEqual => order.is_ge(),
            }
        }),
        Test::Role(role) => tensor.scale.map(|(_, facts, _)| facts.role == role),
        Test::Site(site) => tensor.scale.map(|(scale, _, _)| scale.site == site),
        Test::Part(part) => tensor.scale.map(|(_, _, own)| own == part),
        Test::Absorbable => tensor.scale.map(|(_, facts, _)| match facts.absorption {
            Absorption::IntoColumns(_) | Absorption::IntoRows(_) => true,
            Absorption::None(_) => false,
        }),
    };
    debug_assert!(
        tensor.scale.is_some() == (tensor.param.kind == ParamKind::Scale),
        "scale tensors have an owner"
    );
    truth.is_some_and(|truth| truth != condition.negated)
}
