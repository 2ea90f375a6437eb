//! The whole road by the command that users type: a spec and a text in, runs, resumed runs and reports out. One program,
//! so that its three trainers are compiled once for all of it.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod road {
    mod ablate;
    mod migrate;
    mod prepare;
    mod refusal;
    mod resume;
    mod setting;
    mod train;
}
