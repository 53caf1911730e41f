//! What a run did to an object, kept in an annotation of the object itself, so that it can be taken back.

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Value, json};

use crate::edit::{How, Undo, locate};
use crate::value::text;
use crate::workload::Workload;

/// The annotation without its prefix.
pub(crate) const NAME: &str = "gate";

/// The annotation.
pub(crate) const KEY: &str = "plimsoll.dev/gate";

/// The pointer of the annotation.
const PLACE: &str = "/metadata/annotations/plimsoll.dev~1gate";

/// What stands for the pod's spec at the beginning of a place.
const POD: &str = "~pod";

/// The version of the record's format.
const VERSION: u64 = 1;

/// What a run did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// The name of the gate's container.
    pub(crate) container: String,
    /// The pointer of the pod's spec: most places begin with it, so that it is written once.
    pub(crate) pod: String,
    /// What takes it back, in the order in which it was done.
    pub(crate) undo: Vec<Undo>,
}

impl Record {
    /// As it stands in the annotation.
    pub(crate) fn write(&self) -> String {
        let short = |undo: &Undo| match undo.at.strip_prefix(&self.pod) {
            Some(rest) => Undo { at: format!("{POD}{rest}"), ..undo.clone() },
            None => undo.clone(),
        };
        let undo: Vec<Value> = self.undo.iter().map(|undo| short(undo).to_json()).collect();
        json!({"v": VERSION, "container": self.container, "pod": self.pod, "undo": undo}).to_string()
    }

    /// The record of an object, if it has one.
    ///
    /// One that cannot be read is an error and not "none": its gate could not be taken out any more.
    pub(crate) fn read(workload: &Workload, object: &Value) -> Result<Option<Self>, Diagnostic> {
        let Some(text) = text(object, PLACE) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| {
            workload
                .trouble(Code::InjectRecord, "its annotation `plimsoll.dev/gate` cannot be read")
                .help("restore it, or delete it together with the gate's container by hand")
        })
    }

    /// Takes back those changes that are chosen, and what they leave empty.
    pub(crate) fn undo(&self, object: &mut Value, chosen: impl FnMut(&Undo) -> bool) {
        // The annotation goes first: the maps above it may be ours, and are deleted only when they are empty.
        if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
        {
            annotations.shift_remove(KEY);
        }
        let chosen: Vec<bool> = self.undo.iter().map(chosen).collect();
        for (undo, _) in self.undo.iter().zip(chosen).rev().filter(|(_, is_chosen)| *is_chosen) {
            undo.apply(object);
        }
    }

    /// The texts that came back in a restored object: each with the JSON pointer of its value in the object.
    pub(crate) fn texts<'r>(&'r self, restored: &'r Value) -> impl Iterator<Item = (String, &'r str)> {
        self.undo.iter().filter_map(|undo| match &undo.how {
            How::Put { text: Some(text), was, .. } => {
                let pointer = locate(restored, &undo.at)?;
                (restored.pointer(&pointer) == Some(was)).then_some((pointer, text.as_str()))
            }
            // Whether it stands for the value now is found out where the text is written.
            How::Alias { text } => Some((locate(restored, &undo.at)?, text.as_str())),
            _ => None,
        })
    }
}

fn parse(text: &str) -> Option<Record> {
    let value: Value = serde_json::from_str(text).ok()?;
    if value.get("v")?.as_u64()? != VERSION {
        return None;
    }
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let pod = text("pod")?;
    let mut undo: Vec<Undo> =
        value.get("undo")?.as_array()?.iter().map(Undo::from_json).collect::<Option<_>>()?;
    for undo in &mut undo {
        if let Some(rest) = undo.at.strip_prefix(POD) {
            undo.at = format!("{pod}{rest}");
        }
    }
    Some(Record { container: text("container")?, pod, undo })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Now;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let put = How::Put { was: json!(["a"]), text: Some("[a]".to_owned()), position: 2 };
        let alias = How::Alias { text: " *d".to_owned() };
        let undo = [
            ("/a", How::Delete, Now::Is(json!("6cc43f85"))),
            ("/spec/b", How::Delete, Now::Empty),
            ("/c", put, Now::Absent),
            ("/spec/d", alias, Now::Empty),
        ];
        let undo = undo.map(|(at, how, now)| Undo { at: at.to_owned(), how, now }).to_vec();
        let record = Record { container: "plimsoll".to_owned(), pod: "/spec".to_owned(), undo };
        assert_eq!(parse(&record.write()), Some(record));
    }

    #[test]
    fn a_record_of_another_version_is_not_taken_for_none() {
        assert_eq!(parse(r#"{"v":2,"container":"a","pod":"","undo":[]}"#), None);
        assert_eq!(parse("gibberish"), None);
    }
}
