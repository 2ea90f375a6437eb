//! A target's name in; the blocks whose statements it is made of, in order, out.

use crate::program::{Block, Program};
use svspec_diagnostics::{Diagnostic, did_you_mean};
use svspec_syntax::ast::Ident;

/// The blocks of a target: the model at the root, then variants, each at most once, the target last.
pub struct Lineage<'a> {
    /// In the order in which their statements apply.
    pub blocks: Vec<Block<'a>>,
    /// The chain of `of` from the root to the target, `with` variants in parentheses.
    pub names: Vec<String>,
}

/// Finds them; `None` after a diagnostic.
pub fn lineage<'a>(
    program: &'a Program,
    target: &str,
    findings: &mut Vec<Diagnostic>,
) -> Option<Lineage<'a>> {
    let Some(last) = program.block(target) else {
        findings.push(unknown_target(program, target));
        return None;
    };
    let mut chain = vec![last];
    while let Some(base) = chain.last().and_then(|block| block.base) {
        let next = find(program, base.of, findings)?;
        if let Some(start) = position(&chain, next) {
            findings.push(variant_cycle(chain.get(start..).unwrap_or_default()));
            return None;
        }
        chain.push(next);
    }
    chain.reverse();
    let mut walk = Walk { program, findings, blocks: Vec::new(), open: Vec::new() };
    for block in &chain {
        walk.apply(*block)?;
    }
    Some(Lineage { blocks: walk.blocks, names: chain.iter().map(name_with).collect() })
}

fn name_with(block: &Block<'_>) -> String {
    let with: Vec<&str> =
        block.base.iter().flat_map(|base| base.with).map(|name| name.text.as_str()).collect();
    if with.is_empty() {
        block.name.text.clone()
    } else {
        format!("{} ({})", block.name.text, with.join(", "))
    }
}

struct Walk<'a, 'f> {
    program: &'a Program,
    findings: &'f mut Vec<Diagnostic>,
    blocks: Vec<Block<'a>>,
    open: Vec<Block<'a>>,
}

/// How many variants may take one another over in a chain.
const DEEPEST_WITH: usize = 64;

impl<'a> Walk<'a, '_> {
    /// The block's `with` variants, then the block itself. A block that stands already is not applied again.
    fn apply(&mut self, block: Block<'a>) -> Option<()> {
        if self.blocks.iter().any(|known| known.name.text == block.name.text) {
            return Some(());
        }
        self.open.push(block);
        for name in block.base.iter().flat_map(|base| base.with) {
            let taken = find(self.program, name, self.findings)?;
            if taken.base.is_none() {
                let message =
                    format!("`{}` is a model; only a variant can be taken over by `with`", name.text);
                self.findings.push(
                    Diagnostic::error("unknown-base", message)
                        .at(name.span, "a model")
                        .because(taken.name.span, format!("`{}` is declared here", name.text))
                        .help(format!(
                            "to build on it, write `variant {} of {}`",
                            block.name.text, name.text
                        )),
                );
                return None;
            }
            if let Some(start) = position(&self.open, taken) {
                self.findings.push(variant_cycle(self.open.get(start..).unwrap_or_default()));
                return None;
            }
            if self.open.len() > DEEPEST_WITH {
                let message = format!("more than {DEEPEST_WITH} variants take one another over in a chain");
                self.findings.push(
                    Diagnostic::error("nested-too-deeply", message)
                        .at(name.span, "this one is one too many")
                        .help("list the variants in one `with`, separated by commas"),
                );
                return None;
            }
            self.apply(taken)?;
        }
        self.open.pop();
        self.blocks.push(block);
        Some(())
    }
}

fn find<'a>(program: &'a Program, name: &Ident, findings: &mut Vec<Diagnostic>) -> Option<Block<'a>> {
    if let Some(block) = program.block(&name.text) {
        return Some(block);
    }
    let names: Vec<&str> = program.blocks().map(|block| block.name.text.as_str()).collect();
    let mut finding =
        Diagnostic::error("unknown-base", format!("no model or variant is called `{}`", name.text))
            .at(name.span, "not declared in this file or its imports");
    if let Some(close) = did_you_mean(&name.text, names.iter().copied()) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    findings.push(finding.help(format!("declared: {}", super::list(&names))));
    None
}

fn unknown_target(program: &Program, target: &str) -> Diagnostic {
    let names: Vec<&str> = program.blocks().map(|block| block.name.text.as_str()).collect();
    let mut finding =
        Diagnostic::error("unknown-target", format!("no model or variant is called `{target}`"));
    if let Some(close) = did_you_mean(target, names.iter().copied()) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    if names.is_empty() {
        finding.help("the file declares none; a model starts with `model NAME {`")
    } else {
        finding.help(format!("declared: {}", super::list(&names)))
    }
}

fn position(blocks: &[Block<'_>], wanted: Block<'_>) -> Option<usize> {
    blocks.iter().position(|block| block.name.text == wanted.name.text)
}

/// `circle`: each block builds on the next one, the last on the first. It is told from the one that is declared first,
/// so that every variant in it, and every one that builds on it, finds the same fault.
fn variant_cycle(circle: &[Block<'_>]) -> Diagnostic {
    let mut circle = circle.to_vec();
    let first = (0..circle.len()).min_by_key(|index| circle.get(*index).map(|block| block.name.span));
    circle.rotate_left(first.unwrap_or(0));
    let (Some(first), Some(last)) = (circle.first(), circle.last()) else {
        return Diagnostic::error("variant-cycle", "a variant builds on itself");
    };
    let name = &first.name.text;
    let chain: Vec<String> = circle.iter().map(|block| format!("`{}`", block.name.text)).collect();
    let message = format!("`{name}` builds on itself: {} → `{name}`", chain.join(" → "));
    let bases = last.base.iter().flat_map(|base| [base.of].into_iter().chain(base.with));
    let closing = bases.into_iter().find(|base| base.text == *name).unwrap_or(last.name);
    Diagnostic::error("variant-cycle", message)
        .at(closing.span, "this closes the circle")
        .because(first.name.span, format!("`{name}` is declared here"))
        .help("a variant builds on a model, or on a variant that does not build on it")
}
