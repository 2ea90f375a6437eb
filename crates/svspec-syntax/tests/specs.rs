//! Every committed spec parses without a fault.

use svspec_diagnostics::SourceId;
use svspec_syntax::parse;

#[test]
fn nano_parses() {
    let text = std::fs::read_to_string("../../specs/nano.svspec").unwrap();
    let (file, faults) = parse(SourceId(0), &text);
    assert_eq!(faults, []);
    assert_eq!(file.items.len(), 12);
}
