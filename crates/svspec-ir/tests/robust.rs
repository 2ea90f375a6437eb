//! Whatever parses, compiling it ends in a model or in diagnostics: never in a panic, and never in an hour.

use proptest::prelude::*;
use svspec_diagnostics::{Color, Severity, Sources, render_text};
use svspec_ir::{Loader, check, compile, load, print};

/// Nothing can be imported.
struct Nothing;

impl Loader for Nothing {
    fn load(&mut self, _importer: &str, _path: &str) -> Result<(String, String), String> {
        Err("no such file".to_owned())
    }
}

const SPECS: [&str; 4] = [
    include_str!("../../../specs/nano.svspec"),
    include_str!("../../../specs/llama.svspec"),
    include_str!("../../../specs/gemma_like.svspec"),
    include_str!("../../../specs/placements.svspec"),
];

/// Words and numbers of which some are out of place wherever they are put.
const WORDS: [&str; 52] = [
    "0",
    "1",
    "-1",
    "0.5",
    "3",
    "1e300",
    "1e-300",
    "4_194_304",
    "9_999_999_999",
    "1B",
    "2.5B tokens",
    "7 steps",
    "1%",
    "x",
    "tokens",
    "layer",
    "layers",
    "width",
    "attn",
    "attn.heads",
    "attn.q",
    "mlp",
    "norm",
    "scale",
    "none",
    "off",
    "on",
    "in",
    "out",
    "normalize",
    "normalize(head)",
    "scale(per_head)",
    "scale(scalar)",
    "magnitude_direction",
    "one_plus",
    "rope",
    "hidden",
    "heads",
    "embed(tokens)",
    "unembed(x)",
    "softcap(x, 3)",
    "sqrt(width)",
    "x * x",
    "12 * layer",
    "2 * (layer + layer)",
    "{",
    "}",
    "(",
    ")",
    "=",
    ":",
    ",",
];

/// A spec of the project in which some words were replaced, doubled or taken out.
fn mutated() -> impl Strategy<Value = String> {
    let edits =
        prop::collection::vec((any::<prop::sample::Index>(), 0..3, prop::sample::select(&WORDS[..])), 1..6);
    (prop::sample::select(&SPECS[..]), edits).prop_map(|(spec, edits)| {
        let mut words: Vec<&str> = spec.split_inclusive([' ', '\n']).collect();
        for (index, kind, word) in edits {
            let at = index.index(words.len());
            match kind {
                0 => words.insert(at, word),
                1 => drop(words.splice(at..=at, [word])),
                _ => drop(words.remove(at)),
            }
            words.insert(at.min(words.len()), " ");
        }
        words.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn mutated_specs_end_in_a_model_or_in_words(text in mutated()) {
        let mut sources = Sources::new();
        let entry = sources.add("spec.svspec", &text);
        let (program, loading) = load(&mut sources, entry, &mut Nothing);
        let findings = check(&program, &sources);
        prop_assert!(render_text(&findings, &sources, Color::Plain).is_empty() == findings.is_empty());
        let is_sound = [&loading, &findings].iter().all(|all| all.iter().all(|one| one.severity == Severity::Warning));
        for target in program.targets() {
            match compile(&program, &sources, &target) {
                Ok(compiled) => prop_assert!(!print::ir(compiled.checked.model()).is_empty()),
                Err(_) => prop_assert!(!is_sound, "a sound program whose target `{target}` does not compile"),
            }
        }
    }
}

#[test]
fn a_long_chain_of_constants_is_a_diagnostic() {
    let chain: Vec<String> = (1..5000).map(|index| format!("    c{index} = c{}\n", index + 1)).collect();
    let chain = chain.concat();
    let text = SPECS[0].replace("    width   = 128\n", &format!("    width = c1\n{chain}    c5000 = 128\n"));
    let mut sources = Sources::new();
    let entry = sources.add("spec.svspec", text);
    let (program, loading) = load(&mut sources, entry, &mut Nothing);
    assert_eq!(loading, []);
    let findings = check(&program, &sources);
    assert!(findings.iter().any(|finding| finding.name == "nested-too-deeply"), "{findings:?}");
}

#[test]
fn a_long_chain_of_variants_is_no_burden() {
    let chain: Vec<String> =
        (0..2000).map(|index| format!("variant v{} of v{index} {{}}\n", index + 1)).collect();
    let chain = chain.concat();
    let text = format!("{}variant v0 of nano {{}}\n{chain}", SPECS[0]);
    let mut sources = Sources::new();
    let entry = sources.add("spec.svspec", text);
    let (program, loading) = load(&mut sources, entry, &mut Nothing);
    assert_eq!(loading, []);
    let compiled = compile(&program, &sources, "v2000").expect("compiles");
    assert_eq!(compiled.checked.model().lineage.len(), 2002);
}
