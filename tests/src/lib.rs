//! Suites that cross crates live beside this file, one folder each.
