//! What becomes of one workload once it is decided.

use std::collections::BTreeMap;

use plimsoll_core::Diagnostic;
use plimsoll_core::secret::mask;
use serde_json::{Value, json};

use crate::edit::Editor;
use crate::gate;
use crate::images;
use crate::inject::Facts;
use crate::outcome::{Action, Outcome};
use crate::record::{self, Record};
use crate::select::{Candidate, Choice};
use crate::workload::Workload;

/// What became of a workload, and why.
#[derive(Debug)]
pub(crate) struct Change {
    /// The object, if it is another one now.
    pub(crate) object: Option<Value>,
    /// Values that come back with their texts, each with its JSON pointer in the object.
    pub(crate) restored: Vec<(String, String)>,
    action: Action,
    reasons: Vec<String>,
    advice: Vec<String>,
}

impl Change {
    /// The object stays as it is.
    pub(crate) fn none(action: Action, reasons: Vec<String>) -> Self {
        Self { object: None, restored: Vec::new(), action, reasons, advice: Vec::new() }
    }

    /// What an earlier run did has been taken back: this is the object without it.
    pub(crate) fn undone(record: &Record, object: Value, why: String) -> Self {
        let restored = given_back(record, &object);
        Self { object: Some(object), restored, ..Self::none(Action::Removed, vec![why]) }
    }

    /// What a person is told. A command that is told may hold a URL with its password.
    pub(crate) fn outcome(&self, workload: &Workload) -> Outcome {
        let masked = |sentences: &[String]| sentences.iter().map(|sentence| mask(sentence)).collect();
        Outcome {
            at: workload.at.clone(),
            name: workload.title(),
            action: self.action,
            reasons: masked(&self.reasons),
            advice: masked(&self.advice),
        }
    }
}

/// A workload as it is now, with what an earlier run did.
pub(crate) struct Present<'p> {
    pub(crate) object: &'p Value,
    /// Says how the value at a JSON pointer of the object was written, if anybody knows.
    pub(crate) text: &'p dyn Fn(&str) -> Option<String>,
}

/// Does what was decided.
pub(crate) fn change(
    candidate: &Candidate,
    record: Option<&Record>,
    choice: Choice,
    facts: &Facts,
    present: &Present<'_>,
) -> Result<Change, Diagnostic> {
    Ok(match (choice, record) {
        (Choice::Gate(_), _) | (Choice::Leave(_), None) if let Some(gate) = candidate.survey.gate() => {
            let why = format!("container `{gate}` runs Plimsoll already, and no earlier run put it there");
            Change::none(Action::Kept, vec![why])
        }
        (Choice::Gate(why), _) => gated(candidate, record, why, facts, present)?,
        (Choice::Leave(why), Some(record)) => {
            let kept =
                format!("container `{}` is from an earlier run; `--remove` takes it out", record.container);
            let behind = images::left_behind(candidate, present.object, record, &facts.variables);
            Change { advice: behind.into_iter().collect(), ..Change::none(Action::Kept, vec![why, kept]) }
        }
        (Choice::Refuse(why), Some(record)) => Change::undone(record, candidate.object.clone(), why),
        (Choice::Leave(why) | Choice::Refuse(why), None) => Change::none(Action::Left, vec![why]),
    })
}

fn gated(
    candidate: &Candidate,
    record: Option<&Record>,
    why: String,
    facts: &Facts,
    present: &Present<'_>,
) -> Result<Change, Diagnostic> {
    // The texts of what an earlier run replaced stand in its record; the input has only what that run wrote.
    let earlier: BTreeMap<String, &str> =
        record.map_or_else(BTreeMap::new, |record| record.texts(&candidate.object).collect());
    let text = |pointer: &str| match record {
        None => (present.text)(pointer),
        Some(_) => earlier.get(pointer).map(|text| (*text).to_owned()),
    };
    let mut editor = Editor::new(&candidate.object, &text);
    editor.need_map("/metadata/annotations");
    let story = gate::put(&mut editor, candidate, facts)?;
    let (mut object, undo) = editor.finish();
    let made = Record { container: story.container.clone(), pod: candidate.workload.pod(), undo };
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.insert(record::KEY.to_owned(), json!(made.write()));
    }
    let followed =
        record.and_then(|earlier| images::followed(present.object, &object, earlier, &made.container));
    let reasons = [vec![why], followed.into_iter().collect(), story.reasons].concat();
    // What these options do not replace any more comes back with its text.
    let restored = record.map_or_else(Vec::new, |earlier| given_back(earlier, &object));
    Ok(Change {
        object: Some(object),
        restored,
        advice: story.advice,
        ..Change::none(Action::Gated, reasons)
    })
}

fn given_back(record: &Record, object: &Value) -> Vec<(String, String)> {
    record.texts(object).map(|(pointer, text)| (pointer, text.to_owned())).collect()
}
