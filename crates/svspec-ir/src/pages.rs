//! The pages of `svc explain`: a name in; what it means, why it matters, an example and the remedy, as Markdown, out.
//! One file each in `pages/`, for every diagnostic, rule and role; techniques are sections of the book of architectures.

mod book;

pub use book::{section, sections};

/// The page of that name.
pub fn page(name: &str) -> Option<&'static str> {
    all().find(|(known, _)| *known == name).map(|(_, page)| page)
}

/// Every page with its name, in the order of the names.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES.into_iter()
}

const PAGES: [(&str, &str); 79] = [
    ("absorbable", include_str!("../pages/absorbable.md")),
    ("batch-not-divisible", include_str!("../pages/batch-not-divisible.md")),
    ("circular-setting", include_str!("../pages/circular-setting.md")),
    ("clip", include_str!("../pages/clip.md")),
    ("conflicting-settings", include_str!("../pages/conflicting-settings.md")),
    ("decay", include_str!("../pages/decay.md")),
    ("decayed-output-scale", include_str!("../pages/decayed-output-scale.md")),
    ("dimension-mismatch", include_str!("../pages/dimension-mismatch.md")),
    ("direct-scale-zero-init", include_str!("../pages/direct-scale-zero-init.md")),
    ("dnp", include_str!("../pages/dnp.md")),
    ("dp", include_str!("../pages/dp.md")),
    ("duplicate-foreign-name", include_str!("../pages/duplicate-foreign-name.md")),
    ("duplicate-name", include_str!("../pages/duplicate-name.md")),
    ("er", include_str!("../pages/er.md")),
    ("heads-not-divisible", include_str!("../pages/heads-not-divisible.md")),
    ("hg", include_str!("../pages/hg.md")),
    ("import-cycle", include_str!("../pages/import-cycle.md")),
    ("import-not-found", include_str!("../pages/import-not-found.md")),
    ("init", include_str!("../pages/init.md")),
    ("input", include_str!("../pages/input.md")),
    ("iwd", include_str!("../pages/iwd.md")),
    ("kv-heads-not-divisible", include_str!("../pages/kv-heads-not-divisible.md")),
    ("lr", include_str!("../pages/lr.md")),
    ("magnitude-direction-decay", include_str!("../pages/magnitude-direction-decay.md")),
    ("misplaced-placeholder", include_str!("../pages/misplaced-placeholder.md")),
    ("misplaced-statement", include_str!("../pages/misplaced-statement.md")),
    ("missing-logits", include_str!("../pages/missing-logits.md")),
    ("missing-result", include_str!("../pages/missing-result.md")),
    ("missing-setting", include_str!("../pages/missing-setting.md")),
    ("missing-stack", include_str!("../pages/missing-stack.md")),
    ("missing-version", include_str!("../pages/missing-version.md")),
    ("nested-too-deeply", include_str!("../pages/nested-too-deeply.md")),
    ("not-a-layer", include_str!("../pages/not-a-layer.md")),
    ("not-a-number", include_str!("../pages/not-a-number.md")),
    ("not-a-tensor-name", include_str!("../pages/not-a-tensor-name.md")),
    ("not-a-value", include_str!("../pages/not-a-value.md")),
    ("not-a-whole-number", include_str!("../pages/not-a-whole-number.md")),
    ("odd-rotary-dim", include_str!("../pages/odd-rotary-dim.md")),
    ("one-plus-init", include_str!("../pages/one-plus-init.md")),
    ("or", include_str!("../pages/or.md")),
    ("out-of-range", include_str!("../pages/out-of-range.md")),
    ("output", include_str!("../pages/output.md")),
    ("parameter-without-decay", include_str!("../pages/parameter-without-decay.md")),
    ("part-cycle", include_str!("../pages/part-cycle.md")),
    ("part-in-and-outside-layers", include_str!("../pages/part-in-and-outside-layers.md")),
    ("placement-matches-nothing", include_str!("../pages/placement-matches-nothing.md")),
    ("placement-on-wrong-kind", include_str!("../pages/placement-on-wrong-kind.md")),
    ("replaced-optimizer", include_str!("../pages/replaced-optimizer.md")),
    ("reserved-name", include_str!("../pages/reserved-name.md")),
    ("role-contradicted", include_str!("../pages/role-contradicted.md")),
    ("rows-not-divisible", include_str!("../pages/rows-not-divisible.md")),
    ("rule-matches-nothing", include_str!("../pages/rule-matches-nothing.md")),
    ("rule-shadowed", include_str!("../pages/rule-shadowed.md")),
    ("syntax-error", include_str!("../pages/syntax-error.md")),
    ("tensor-without-foreign-name", include_str!("../pages/tensor-without-foreign-name.md")),
    ("too-large", include_str!("../pages/too-large.md")),
    ("undecayed-input-scale", include_str!("../pages/undecayed-input-scale.md")),
    ("unified", include_str!("../pages/unified.md")),
    ("unknown-base", include_str!("../pages/unknown-base.md")),
    ("unknown-condition", include_str!("../pages/unknown-condition.md")),
    ("unknown-form", include_str!("../pages/unknown-form.md")),
    ("unknown-function", include_str!("../pages/unknown-function.md")),
    ("unknown-name", include_str!("../pages/unknown-name.md")),
    ("unknown-part", include_str!("../pages/unknown-part.md")),
    ("unknown-part-kind", include_str!("../pages/unknown-part-kind.md")),
    ("unknown-port", include_str!("../pages/unknown-port.md")),
    ("unknown-rule", include_str!("../pages/unknown-rule.md")),
    ("unknown-selector", include_str!("../pages/unknown-selector.md")),
    ("unknown-setting", include_str!("../pages/unknown-setting.md")),
    ("unknown-target", include_str!("../pages/unknown-target.md")),
    ("unknown-tensor", include_str!("../pages/unknown-tensor.md")),
    ("unknown-value", include_str!("../pages/unknown-value.md")),
    ("unsupported-version", include_str!("../pages/unsupported-version.md")),
    ("unused-constant", include_str!("../pages/unused-constant.md")),
    ("unused-layer", include_str!("../pages/unused-layer.md")),
    ("unused-part", include_str!("../pages/unused-part.md")),
    ("unused-value", include_str!("../pages/unused-value.md")),
    ("variant-cycle", include_str!("../pages/variant-cycle.md")),
    ("wrong-arguments", include_str!("../pages/wrong-arguments.md")),
];
