//! Every family and every technique, against the references in the folders of that name.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod parity {
    mod evaluator;
    #[cfg(feature = "transformers")]
    mod exported;
    mod generated;
    mod setting;
}
