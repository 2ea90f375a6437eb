//! Names of the spec to Rust identifiers, each handed out once.

use proc_macro2::{Ident, Span};
use std::collections::BTreeSet;

/// The identifiers taken in one scope.
#[derive(Clone, Debug, Default)]
pub struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// A scope in which `reserved` are taken.
    pub fn reserving(reserved: &[&str]) -> Self {
        Self { taken: reserved.iter().map(|&name| name.to_owned()).collect() }
    }

    /// `wanted` as a lower-case identifier: itself if it is free, else with the least number that makes it so.
    pub fn variable(&mut self, wanted: &str) -> Ident {
        self.claim(&words(wanted).to_lowercase())
    }

    /// `wanted` as the identifier of a constant.
    pub fn constant(&mut self, wanted: &str) -> Ident {
        self.claim(&words(wanted).to_uppercase())
    }

    /// `wanted` as the identifier of a type: `local_layer` is `LocalLayer`.
    pub fn type_name(&mut self, wanted: &str) -> Ident {
        let camel: String = words(wanted)
            .split('_')
            .map(|word| {
                let mut letters = word.chars();
                letters.next().map_or(String::new(), |first| {
                    first.to_ascii_uppercase().to_string() + &letters.as_str().to_lowercase()
                })
            })
            .collect();
        self.claim(&camel)
    }

    fn claim(&mut self, base: &str) -> Ident {
        let base = if base.starts_with(|first: char| first.is_ascii_digit())
            || is_keyword(base)
            || base.is_empty()
        {
            format!("v_{base}")
        } else {
            base.to_owned()
        };
        // One more candidate than there are names taken.
        let numbered = (2..=self.taken.len() + 1).map(|number| format!("{base}_{number}"));
        let name = std::iter::once(base.clone())
            .chain(numbered)
            .find(|name| !self.taken.contains(name))
            .expect("more candidates than names taken");
        self.taken.insert(name.clone());
        Ident::new(&name, Span::call_site())
    }
}

/// Everything that is not a letter, a digit or `_` becomes `_`.
fn words(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

/// Whether rustc keeps the word; a lone `_` counts.
pub fn is_keyword(word: &str) -> bool {
    syn::parse_str::<syn::Ident>(word).is_err()
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn each_name_is_handed_out_once_and_is_an_identifier() {
        let mut names = Names::reserving(&["self"]);
        assert_eq!(names.variable("attn.q.weight"), "attn_q_weight");
        assert_eq!(names.variable("attn_q.weight"), "attn_q_weight_2");
        assert_eq!(names.variable("loop"), "v_loop");
        assert_eq!(names.variable("2x"), "v_2x");
        assert_eq!(names.type_name("local_layer"), "LocalLayer");
        assert_eq!(names.constant("kv_heads"), "KV_HEADS");
    }
}
