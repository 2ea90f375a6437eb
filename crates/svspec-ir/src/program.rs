//! The parsed files of one entry, and the models and variants in them.

use svspec_diagnostics::{SourceId, Span};
use svspec_syntax::ast::{Body, File, Ident, ItemKind, OptimizerBlock, PartDefinition, Trivia};

/// One parsed file.
#[derive(Clone, Debug)]
pub struct ProgramFile {
    /// Its text.
    pub source: SourceId,
    /// Its tree.
    pub file: File,
    /// The files that it imports, in its order, and where it says so.
    pub imports: Vec<(SourceId, Span)>,
}

/// Parsed files, imports followed; made by [`crate::load::load`].
#[derive(Clone, Debug)]
pub struct Program {
    files: Vec<ProgramFile>,
    is_broken: bool,
}

/// A model or a variant as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Its name.
    pub name: &'a Ident,
    /// Comments and documentation.
    pub trivia: &'a Trivia,
    /// What it builds on; `None` for a model.
    pub base: Option<Base<'a>>,
    /// Its statements.
    pub body: &'a Body,
}

/// What a variant builds on.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// The model or variant that it changes.
    pub of: &'a Ident,
    /// The variants whose statements it takes over.
    pub with: &'a [Ident],
}

impl Block<'_> {
    /// Whether a place is within it.
    pub(crate) fn holds(&self, place: Span) -> bool {
        let (start, end) = (self.name.span.start, self.body.span.end);
        self.name.span.source == place.source && start <= place.start && place.end <= end
    }
}

impl Program {
    /// `files`: imported ones first, the entry last. `is_broken`: whether blocks may be missing because of faults that
    /// were reported already.
    pub(crate) fn new(files: Vec<ProgramFile>, is_broken: bool) -> Self {
        Self { files, is_broken }
    }

    /// Whether blocks may be missing because of faults that were reported when it was loaded.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// The files, imported ones before their importers, the entry last.
    pub fn files(&self) -> &[ProgramFile] {
        &self.files
    }

    /// The entry file's models, then its variants, in the order of the file.
    pub fn targets(&self) -> Vec<String> {
        let own: Vec<Block<'_>> = self.files.last().map(blocks).into_iter().flatten().collect();
        let models = own.iter().filter(|block| block.base.is_none());
        let variants = own.iter().filter(|block| block.base.is_some());
        models.chain(variants).map(|block| block.name.text.clone()).collect()
    }

    /// The entry's first model, else its first variant.
    pub fn default_target(&self) -> Option<&str> {
        let own: Vec<Block<'_>> = self.files.last().map(blocks).into_iter().flatten().collect();
        own.iter().find(|block| block.base.is_none()).or(own.first()).map(|block| block.name.text.as_str())
    }

    /// Every model and variant, imported ones first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        self.files.iter().flat_map(blocks)
    }

    /// The first model or variant of that name.
    pub(crate) fn block(&self, name: &str) -> Option<Block<'_>> {
        self.blocks().find(|block| block.name.text == name)
    }

    /// The `optimizer` blocks of each file, imported files first.
    pub(crate) fn optimizers(&self) -> impl Iterator<Item = (SourceId, &OptimizerBlock)> {
        self.files.iter().flat_map(|file| {
            file.file.items.iter().filter_map(move |item| match &item.kind {
                ItemKind::Optimizer(block) => Some((file.source, block)),
                ItemKind::Import { .. }
                | ItemKind::Part(_)
                | ItemKind::Model { .. }
                | ItemKind::Variant { .. }
                | ItemKind::Train(_) => None,
            })
        })
    }

    /// The `train` blocks, imported files first.
    pub(crate) fn trains(&self) -> impl Iterator<Item = &Body> {
        self.files.iter().flat_map(|file| &file.file.items).filter_map(|item| match &item.kind {
            ItemKind::Train(body) => Some(body),
            ItemKind::Import { .. }
            | ItemKind::Part(_)
            | ItemKind::Model { .. }
            | ItemKind::Variant { .. }
            | ItemKind::Optimizer(_) => None,
        })
    }

    /// The kinds of part that files define, imported files first.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &PartDefinition> {
        self.files.iter().flat_map(|file| &file.file.items).filter_map(|item| match &item.kind {
            ItemKind::Part(definition) => Some(definition),
            ItemKind::Import { .. }
            | ItemKind::Model { .. }
            | ItemKind::Variant { .. }
            | ItemKind::Optimizer(_)
            | ItemKind::Train(_) => None,
        })
    }
}

fn blocks(file: &ProgramFile) -> impl Iterator<Item = Block<'_>> {
    file.file.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Model { name, body } => Some(Block { name, trivia: &item.trivia, base: None, body }),
        ItemKind::Variant { name, base, with, body } => {
            Some(Block { name, trivia: &item.trivia, base: Some(Base { of: base, with }), body })
        }
        ItemKind::Import { .. } | ItemKind::Part(_) | ItemKind::Optimizer(_) | ItemKind::Train(_) => None,
    })
}
