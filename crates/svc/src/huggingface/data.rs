//! The files of `templates/families`, as the build script lists them: data, and templates under their names.

use anyhow::{Context as _, anyhow};
use std::sync::LazyLock;
use tera::Tera;

include!(concat!(env!("OUT_DIR"), "/families.rs"));

/// All templates; those of `shared` may be included.
static TEMPLATES: LazyLock<tera::TeraResult<Tera>> = LazyLock::new(|| {
    let mut tera = Tera::default();
    tera.autoescape_on(Vec::<&str>::new());
    let is_template = |name: &str| matches!(name.split_once('.'), Some((_, "svspec" | "config.json")));
    tera.add_raw_templates(OWN.iter().chain(SHARED).copied().filter(|(name, _)| is_template(name)))?;
    Ok(tera)
});

/// Each family's name and its data, in alphabetical order.
pub fn families() -> impl Iterator<Item = (&'static str, &'static str)> {
    let data = |&(name, text): &(&'static str, &'static str)| match name.split_once('.') {
        Some((family, "json")) => Some((family, text)),
        Some(_) | None => None,
    };
    OWN.iter().filter_map(data)
}

/// A set of fields that families share.
pub fn shared(name: &str) -> Option<&'static str> {
    SHARED.iter().find(|(own, _)| *own == name).map(|(_, text)| *text)
}

/// Renders a template by its name.
pub fn render(name: &str, context: &tera::Context) -> anyhow::Result<String> {
    templates()?.render(name, context).with_context(|| format!("the template `{name}`"))
}

/// Renders a template that stands in a family's data.
pub fn render_text(text: &str, context: &tera::Context) -> anyhow::Result<String> {
    templates()?.render_str(text, context, false).with_context(|| format!("the template `{text}`"))
}

fn templates() -> anyhow::Result<&'static Tera> {
    TEMPLATES.as_ref().map_err(|error| anyhow!("a family's template: {error}"))
}
