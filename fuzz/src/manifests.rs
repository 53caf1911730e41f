//! What has to be true of any manifest.

use plimsoll_inject::text::{Stream, Verbatim};
use plimsoll_inject::{Facts, Given, inject, remove};
use serde_json::Value;

/// Panics unless a text that is left alone stays as it is, a gate is written as it was meant, and a second one changes nothing.
pub fn check(text: &str) {
    let Ok(stream) = Stream::parse("manifest.yaml", text) else { return };
    let same =
        stream.rewrite(stream.documents(), &Verbatim::default()).expect("what is the same can be written");
    assert_eq!(same, text, "a text in which nothing changes stays");
    let _ = remove(stream.documents(), &Given::default());
    let Some(once) = gated(stream.documents()) else { return };
    let text = stream.rewrite(&once, &Verbatim::default()).expect("a gate can be written");
    let read = Stream::parse("manifest.yaml", &text).expect("what was written can be read");
    assert_eq!(read.documents(), once, "what was written is what was meant");
    assert_eq!(gated(&once).as_ref(), Some(&once), "a second run is the first one again");
}

fn gated(documents: &[Value]) -> Option<Vec<Value>> {
    inject(documents, &Given::default(), &Facts::default(), &|_, _| None)
        .ok()
        .map(|injected| injected.documents)
}
