//! A formula in; the sizes that its functions give values in a layer out. Layers of one kind have the same.

use super::resolved::{Formula, FormulaKind};

impl Formula {
    /// The sizes in a layer, from 0, that functions give values by numbers of their own, in the order of the text.
    pub fn sizes(&self, layer: usize, found: &mut Vec<usize>) {
        match &self.kind {
            FormulaKind::Name(_) | FormulaKind::Embed => {}
            FormulaKind::Call(function, arguments) => {
                found.extend(function.sizes().map(|number| number.at(Some(layer)) as usize));
                for argument in arguments {
                    argument.sizes(layer, found);
                }
            }
            FormulaKind::Part(_, arguments) => {
                for argument in arguments {
                    argument.sizes(layer, found);
                }
            }
            FormulaKind::Composite { equations, result, .. } => {
                for equation in equations {
                    equation.formula.sizes(layer, found);
                }
                result.sizes(layer, found);
            }
            FormulaKind::Around { argument, inner, .. } => {
                argument.sizes(layer, found);
                inner.sizes(layer, found);
            }
            FormulaKind::Gain(_, argument) | FormulaKind::PositionGain(_, argument) => {
                argument.sizes(layer, found);
            }
            FormulaKind::Add(left, right) | FormulaKind::Mul(left, right) => {
                left.sizes(layer, found);
                right.sizes(layer, found);
            }
        }
    }
}
