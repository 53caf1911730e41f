//! The promises of `plimsoll_inject::text`, over awkward manifests and generated ones.

#[path = "text/change.rs"]
mod change;
#[path = "text/generate.rs"]
mod generate;

use std::path::PathBuf;

use plimsoll_inject::text::{Stream, Verbatim, to_yaml};
use proptest::prelude::*;
use serde_json::Value;

fn awkward() -> Vec<(String, String)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/awkward");
    let files = std::fs::read_dir(directory).expect("the directory is there");
    let files = files.map(|entry| entry.expect("the directory can be read").path());
    let manifests = files.filter(|path| path.extension().is_some());
    let read =
        |path: PathBuf| (path.display().to_string(), std::fs::read_to_string(&path).expect("it is text"));
    let found: Vec<_> = manifests.map(read).collect();
    assert!(found.len() > 10, "the manifests are not where they were");
    found
}

/// Without its text, what is written out in place of an alias stays so (`tests/aliases.rs` has the texts), as do the braces
/// of a pair and the colon of a key without one.
fn is_exact((name, _): &(String, String)) -> bool {
    !name.ends_with("anchors.yaml") && !name.ends_with("pairs.yaml")
}

fn parse(text: &str) -> Stream {
    Stream::parse("test.yaml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Inserts here and there, writes that, reads it, and takes the insertions out again.
fn there_and_back(text: &str, seed: u64) {
    let stream = parse(text);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut wanted = stream.documents().to_vec();
    for document in &mut wanted {
        change::insert(document, &mut random);
    }
    let changed = stream.rewrite(&wanted, &Verbatim::new()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let again = parse(&changed);
    assert_eq!(again.documents(), wanted);
    let back = again.rewrite(stream.documents(), &Verbatim::new()).expect("what went in comes out");
    assert_eq!(back, text, "by way of\n{changed}");
}

#[test]
fn a_text_that_is_not_changed_stays_byte_for_byte() {
    for (name, text) in awkward() {
        let stream = parse(&text);
        assert_eq!(stream.rewrite(stream.documents(), &Verbatim::new()).unwrap(), text, "{name}");
    }
}

#[test]
fn what_was_inserted_into_an_awkward_manifest_can_be_taken_out_exactly() {
    for (_, text) in awkward().into_iter().filter(is_exact) {
        for seed in 0..200 {
            there_and_back(&text, seed);
        }
    }
}

#[test]
fn a_whole_document_has_a_text_too() {
    for (name, text) in awkward() {
        let stream = parse(&text);
        for document in 0..stream.documents().len() {
            let own = stream.text_of(document, "").expect("it is there");
            assert!(text.contains(own), "{name}: {own}");
            assert_eq!(own.trim().is_empty(), stream.documents()[document].is_null(), "{name}: {own}");
        }
    }
    assert_eq!(parse("{\"a\": 1}\n").text_of(0, ""), Some("{\"a\": 1}"));
}

#[test]
fn any_change_of_an_awkward_manifest_means_what_was_wanted_or_is_an_error() {
    let mut made = 0;
    for (name, text) in awkward() {
        let stream = parse(&text);
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut wanted = stream.documents().to_vec();
            for document in &mut wanted {
                change::anything(document, &mut random);
            }
            match stream.rewrite(&wanted, &Verbatim::new()) {
                Ok(changed) => {
                    made += 1;
                    assert_eq!(parse(&changed).documents(), wanted, "{name}");
                }
                Err(error) => assert_eq!(error.code.as_str(), "PLM424", "{name} {error}"),
            }
        }
    }
    assert!(made > 3000, "only {made} changes could be made");
}

/// The texts of all aliases: a change where the anchor is can have them written out.
fn aliases(stream: &Stream) -> Verbatim {
    let mut verbatim = Verbatim::new();
    for (document, value) in stream.documents().iter().enumerate() {
        for pointer in change::pointers(value) {
            let text = stream.text_of(document, &pointer).filter(|text| text.trim_start().starts_with('*'));
            if let Some(text) = text {
                verbatim.insert(document, &pointer, text);
            }
        }
    }
    verbatim
}

/// A merge key that had to go is not written again, and neither is a pair without its braces.
fn is_restored(name: &str, pointer: &str) -> bool {
    let has_merge_key = name.ends_with("anchors.yaml") && pointer.starts_with("/x-common");
    !has_merge_key && !name.ends_with("pairs.yaml")
}

#[test]
fn a_node_that_was_replaced_is_restored_from_its_text() {
    for (name, text) in awkward() {
        let stream = parse(&text);
        for document in 0..stream.documents().len() {
            for pointer in change::pointers(&stream.documents()[document]) {
                let Some(own) = stream.text_of(document, &pointer).filter(|_| is_restored(&name, &pointer))
                else {
                    continue;
                };
                let mut verbatim = aliases(&stream);
                verbatim.insert(document, &pointer, own);
                let mut wanted = stream.documents().to_vec();
                *wanted[document].pointer_mut(&pointer).unwrap() = Value::from(vec!["plimsoll", "deploy"]);
                let Ok(changed) = stream.rewrite(&wanted, &Verbatim::new()) else { continue };
                let back = parse(&changed).rewrite(stream.documents(), &verbatim).unwrap();
                assert_eq!(back, text, "{name} {pointer} by way of\n{changed}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_inserted_can_be_taken_out_exactly(text in generate::manifest(), seed in any::<u64>()) {
        there_and_back(&text, seed);
    }

    #[test]
    fn a_generated_text_that_is_not_changed_stays_byte_for_byte(text in generate::manifest()) {
        let stream = parse(&text);
        prop_assert_eq!(stream.rewrite(stream.documents(), &Verbatim::new()).unwrap(), text);
    }

    #[test]
    fn any_value_written_anew_is_read_as_itself(value in generate::value()) {
        let text = to_yaml(&value);
        let stream = parse(&text);
        prop_assert_eq!(stream.documents(), &[value]);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-a:{}\\[\\],#&*!|>'\"%@? \n\t0<.]{0,40}") {
        if let Ok(stream) = Stream::parse("test.yaml", &text) {
            prop_assert_eq!(stream.rewrite(stream.documents(), &Verbatim::new()).unwrap(), text);
        }
    }

    #[test]
    fn a_change_of_any_text_means_what_was_wanted_or_is_an_error(
        text in "[-a:{}\\[\\],#&*!|>'\"? \n0<]{0,40}",
        seed in any::<u64>(),
    ) {
        if let Ok(stream) = Stream::parse("test.yaml", &text) {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut wanted = stream.documents().to_vec();
            for document in &mut wanted {
                change::anything(document, &mut random);
            }
            if let Ok(changed) = stream.rewrite(&wanted, &Verbatim::new()) {
                let again = parse(&changed);
                prop_assert_eq!(again.documents(), wanted);
            }
        }
    }
}
