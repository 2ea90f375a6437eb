//! A checked model to the files of a training crate, in memory.
