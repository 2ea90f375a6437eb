//! What is found in several layers in; each fault once, with the layers that have it where not all do, out.

use crate::print::paths;
use svspec_diagnostics::{Diagnostic, Span};

/// The findings of the layers seen so far.
#[derive(Debug, Default)]
pub struct Told {
    layers: Vec<usize>,
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Fault {
    finding: Diagnostic,
    /// From 0, in order.
    layers: Vec<usize>,
    /// Whether the same is said of all of them.
    is_same: bool,
}

type Key = (&'static str, Option<Span>);

fn key(finding: &Diagnostic) -> Key {
    (finding.name, finding.primary.as_ref().map(|label| label.span))
}

impl Told {
    /// Notes what is found in a layer, from 0.
    pub fn add(&mut self, layer: usize, findings: Vec<Diagnostic>) {
        self.layers.push(layer);
        for finding in findings {
            match self.faults.iter_mut().find(|known| key(&known.finding) == key(&finding)) {
                Some(known) => {
                    known.is_same &= known.finding.message == finding.message;
                    if known.layers.last() != Some(&layer) {
                        known.layers.push(layer);
                    }
                }
                None => self.faults.push(Fault { finding, layers: vec![layer], is_same: true }),
            }
        }
    }

    /// Each fault once.
    pub fn findings(self) -> Vec<Diagnostic> {
        let num_layers = self.layers.len();
        self.faults.into_iter().map(|fault| fault.told(num_layers)).collect()
    }
}

impl Fault {
    fn told(self, num_layers: usize) -> Diagnostic {
        let Self { mut finding, layers, is_same } = self;
        let Some((first, rest)) = layers.split_first() else { return finding };
        if num_layers == 1 || is_same && layers.len() == num_layers {
            return finding;
        }
        finding.message = format!("where `layer` is {}, {}", first + 1, finding.message);
        if rest.is_empty() {
            return finding;
        }
        let others: Vec<usize> = rest.iter().map(|layer| layer + 1).collect();
        finding.help(format!("likewise where `layer` is {}", paths::ranges(&others)))
    }
}
