//! Texts that nobody should be able to hurt us with, and those that are simply wrong: an error that names the place.

use std::fmt::Write as _;

use plimsoll_core::Diagnostic;
use plimsoll_inject::text::{Stream, Verbatim};
use serde_json::json;

fn refused(text: &str) -> Diagnostic {
    match Stream::parse("x.yaml", text) {
        Ok(stream) => panic!("was read as {:?}", stream.documents()),
        Err(error) => error,
    }
}

/// The code and the place of the error that a text gives.
fn trouble(text: &str) -> String {
    let error = refused(text);
    assert!(!error.help.is_empty(), "{error}");
    let place = error.place.as_ref().map(|place| format!("{}:{}", place.line(), place.column()));
    format!("{} {}", error.code, place.unwrap_or_default())
}

#[test]
fn a_key_that_is_there_twice_is_refused_at_the_second() {
    assert_eq!(trouble("a: 1\nb:\n  c: 1\n  c: 2\n"), "PLM421 4:3");
    assert_eq!(trouble("{\"a\": 1, \"a\": 1}"), "PLM421 1:10");
    // Both are the key `true` to Kubernetes.
    assert_eq!(trouble("yes: 1\non: 2\n"), "PLM421 2:1");
}

#[test]
fn a_template_is_told_to_be_rendered() {
    for text in
        ["a: {{ .Values.a }}\n", "{{ if .x }}\na: 1\n{{ end }}\n", "{{- range .x }}\n- a\n{{- end }}\n"]
    {
        let error = refused(text);
        assert_eq!(error.code.as_str(), "PLM422", "{error}");
        assert!(error.help[0].contains("helm template"));
    }
}

#[test]
fn braces_in_a_string_are_no_template() {
    let stream = Stream::parse("x.yaml", "a: \"{{ b }}\"\n").unwrap();
    assert_eq!(stream.documents(), [json!({"a": "{{ b }}"})]);
    assert_eq!(trouble("a: \"{{ b }}\"\na: 1\n"), "PLM421 2:1");
}

#[test]
fn a_billion_laughs_are_not_laughed() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        writeln!(text, "a{level}: &a{level} [{}]", vec![alias; 10].join(", ")).unwrap();
    }
    assert!(trouble(&text).starts_with("PLM423"));
}

#[test]
fn nothing_is_nested_without_end() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!("{}{}", open.repeat(50_000), close.repeat(50_000));
        assert!(matches!(refused(&text).code.as_str(), "PLM421" | "PLM423"));
    }
    assert!(matches!(refused(&"- ".repeat(50_000)).code.as_str(), "PLM421" | "PLM423"));
    let steps: Vec<_> = (0..3000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(matches!(refused(&steps.concat()).code.as_str(), "PLM421" | "PLM423"));
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..300 {
        writeln!(chain, "a{level}: &a{level} [[*a{}]]", level - 1).unwrap();
    }
    assert!(trouble(&chain).starts_with("PLM423"));
}

#[test]
fn what_is_wrong_is_refused_at_its_place() {
    assert_eq!(trouble("a:\n\tb: 1\n"), "PLM421 2:2");
    assert_eq!(trouble("a: x\0y\n"), "PLM421 1:5");
    assert_eq!(trouble("a: [1, 2\nb: 3\n"), "PLM421 2:2");
    assert_eq!(trouble("? [a]\n: b\n"), "PLM421 1:3");
    assert_eq!(trouble("null: a\n"), "PLM421 1:1");
    assert_eq!(trouble("a: *b\n"), "PLM421 1:4");
    assert_eq!(trouble("a: &b [*b]\n"), "PLM421 1:8");
    assert_eq!(trouble("a: .inf\n"), "PLM421 1:4");
    assert_eq!(trouble("a: !!int x\n"), "PLM421 1:10");
    assert_eq!(trouble("a: !!binary aGk=\n"), "PLM421 1:13");
    assert_eq!(trouble("<<: 3\n"), "PLM421 1:5");
    assert_eq!(trouble("a: [b:]\n"), "PLM421 1:5");
}

#[test]
fn a_password_in_a_text_is_not_shown() {
    let error = refused("a: postgresql://u:hunter2@h/d\na: 1\n");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_change_that_a_text_does_not_allow_is_refused_with_its_place() {
    let stream = Stream::parse("x.yaml", "? a\nb: 1\n").unwrap();
    let error = stream.rewrite(&[json!({"a": 2, "b": 1})], &Verbatim::new()).unwrap_err();
    assert_eq!(error.code.as_str(), "PLM424");
    assert!(error.place.is_some() && error.help[0].contains("nothing was written"));
    let error = stream.rewrite(&[], &Verbatim::new()).unwrap_err();
    assert_eq!(error.code.as_str(), "PLM424");
}

#[test]
fn a_text_that_means_something_else_is_not_used() {
    let stream = Stream::parse("x.yaml", "a: 1\nb: 2\n").unwrap();
    for text in [" 3", " 1\nc: 4", " 1 # c\n--- 1", " *x", "", " [", "\n    1\n  2"] {
        let mut verbatim = Verbatim::new();
        verbatim.insert(0, "/b", text);
        let result = stream.rewrite(&[json!({"a": 1, "b": "x"})], &verbatim).unwrap();
        assert_eq!(result, "a: 1\nb: x\n", "{text:?}");
    }
}
