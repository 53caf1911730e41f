//! What the documentation says is what the code does.

use plimsoll_inject::options::markdown;

#[test]
fn the_documentation_has_the_table_as_it_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/inject.md");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(&markdown()), "docs/inject.md has to have this table:\n{}", markdown());
}
