//! Every family of the folder of that name, against what transformers computes.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod families {
    mod evaluator;
    mod generated;
    mod setting;
}
