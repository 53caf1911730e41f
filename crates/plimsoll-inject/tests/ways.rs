//! The ways of `rewrite` besides the usual one: each has a text that no other way changes as well.

use plimsoll_inject::text::{Stream, Verbatim};
use serde_json::{Map, Value, json};

/// The text with `new` behind the entry `a`, written like this if it can be.
fn with_new(text: &str, value: &Value, written: Option<&str>) -> String {
    let stream = Stream::parse("x.yaml", text).expect("the text is one that can be read");
    let mut entries: Vec<(String, Value)> =
        stream.documents()[0].as_object().expect("a mapping").clone().into_iter().collect();
    entries.insert(1, ("new".to_owned(), value.clone()));
    let mut verbatim = Verbatim::new();
    if let Some(written) = written {
        verbatim.insert(0, "/new", written);
    }
    stream.rewrite(&[Value::Object(Map::from_iter(entries))], &verbatim).expect("one of the ways does it")
}

const PLAIN: &str = "a: 1\nb: 2\n";
const DEEP: &str = "a: 1\n      # deep\nb: 2\n";

#[test]
fn a_string_of_several_lines_is_a_block_and_a_callers_text_is_used() {
    assert_eq!(with_new(PLAIN, &json!("x\ny"), None), "a: 1\nnew: |-\n  x\n  y\nb: 2\n");
    let text = with_new(PLAIN, &json!("x\ny"), Some("   \"x\\ny\""));
    assert_eq!(text, "a: 1\nnew:   \"x\\ny\"\nb: 2\n");
}

#[test]
fn above_a_comment_that_would_become_part_of_it_a_string_stands_on_one_line() {
    assert_eq!(with_new(DEEP, &json!("x\ny"), None), "a: 1\nnew: \"x\\ny\"\n      # deep\nb: 2\n");
}

#[test]
fn beside_such_a_string_the_text_of_the_caller_is_still_used() {
    let stream = Stream::parse("x.yaml", DEEP).expect("it is YAML");
    let mut verbatim = Verbatim::new();
    verbatim.insert(0, "/b", "   'two'");
    let text =
        stream.rewrite(&[json!({"a": 1, "new": "x\ny", "b": "two"})], &verbatim).expect("it can be changed");
    assert_eq!(text, "a: 1\nnew: \"x\\ny\"\n      # deep\nb:   'two'\n");
}

#[test]
fn a_callers_text_that_means_more_where_it_is_to_stand_is_written_anew() {
    let text = with_new("a: 1\n\n\nb: 2\n", &json!("x\ny\n"), Some(" |+\n  x\n  y"));
    assert_eq!(text, "a: 1\nnew: |\n  x\n  y\n\n\nb: 2\n");
}

#[test]
fn a_callers_block_above_such_a_comment_is_written_on_one_line() {
    let text = with_new(DEEP, &json!("x\ny"), Some(" |-\n   x\n   y"));
    assert_eq!(text, "a: 1\nnew: \"x\\ny\"\n      # deep\nb: 2\n");
}

#[test]
fn a_block_that_the_text_ended_in_says_that_it_has_no_line_break() {
    let text = "a: |\n  x";
    assert_eq!(with_new(text, &json!({"s": "x\ny"}), None), "a: |-\n  x\nnew:\n  s: |-\n    x\n    y");
}
