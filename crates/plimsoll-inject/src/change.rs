//! What becomes of one workload once it is decided.

use std::collections::BTreeMap;

use plimsoll_core::Diagnostic;
use plimsoll_core::secret::mask;
use serde_json::{Value, json};

use crate::earlier::{Earlier, not_recorded};
use crate::edit::{Editor, stamp};
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
    pub(crate) fn undone(workload: &Workload, earlier: &Earlier, why: String) -> Result<Self, Diagnostic> {
        let (object, said) = earlier.take_out(workload)?;
        let restored = given_back(&earlier.record, &object);
        let reasons = [vec![why], said].concat();
        Ok(Self { object: Some(object), restored, ..Self::none(Action::Removed, reasons) })
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
    earlier: Option<&Earlier>,
    choice: Choice,
    facts: &Facts,
    present: &Present<'_>,
) -> Result<Change, Diagnostic> {
    Ok(match (choice, earlier) {
        (Choice::Gate(_), _) | (Choice::Leave(_), None) if let Some(gate) = candidate.survey.gate() => {
            Change::none(Action::Kept, vec![of_somebody_else(gate, earlier)])
        }
        (Choice::Gate(why), _) => gated(candidate, earlier, why, facts, present)?,
        (Choice::Leave(_), Some(renamed))
            if renamed.container().is_none()
                && let Some(gate) = candidate.survey.gate() =>
        {
            Change::none(Action::Kept, vec![of_somebody_else(gate, earlier)])
        }
        (Choice::Leave(why), Some(Earlier { record, .. })) => {
            let kept =
                format!("container `{}` is from an earlier run; `--remove` takes it out", record.container);
            let behind = images::left_behind(candidate, present.object, record, &facts.variables);
            Change { advice: behind.into_iter().collect(), ..Change::none(Action::Kept, vec![why, kept]) }
        }
        (Choice::Refuse(why), Some(earlier)) => Change::undone(&candidate.workload, earlier, why)?,
        (Choice::Leave(why) | Choice::Refuse(why), None) => Change::none(Action::Left, vec![why]),
    })
}

/// Why a gate is left that no earlier run made, or that was renamed since.
fn of_somebody_else(gate: &str, earlier: Option<&Earlier>) -> String {
    match earlier.filter(|earlier| earlier.container().is_none()) {
        None => format!("container `{gate}` runs Plimsoll already, and no earlier run put it there"),
        Some(Earlier { record: Record { container, .. }, .. }) => format!(
            "container `{gate}` runs Plimsoll, and `{container}` of an earlier run is gone: if it was renamed, `--remove` needs its old name"
        ),
    }
}

fn gated(
    candidate: &Candidate,
    earlier: Option<&Earlier>,
    why: String,
    facts: &Facts,
    present: &Present<'_>,
) -> Result<Change, Diagnostic> {
    let record = earlier.map(|earlier| &earlier.record);
    // The texts of what an earlier run replaced stand in its record; the input has only what that run wrote.
    let recorded: BTreeMap<String, &str> =
        record.map_or_else(BTreeMap::new, |record| record.texts(&candidate.object).collect());
    let text = |pointer: &str| match record {
        None => (present.text)(pointer),
        Some(_) => recorded.get(pointer).map(|text| (*text).to_owned()),
    };
    let mut editor = Editor::new(&candidate.object, &text);
    editor.need_map("/metadata/annotations");
    let story = gate::put(&mut editor, candidate, facts)?;
    let (mut object, mut undo) = editor.finish();
    stamp(&mut undo, &object);
    let said = match earlier {
        Some(earlier) => earlier.settle(&candidate.workload, &story.container, &mut object, &mut undo)?,
        None => Vec::new(),
    };
    let made = Record { container: story.container.clone(), pod: candidate.workload.pod(), undo };
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.insert(record::KEY.to_owned(), json!(made.write()));
    }
    let followed =
        record.and_then(|earlier| images::followed(present.object, &object, earlier, &made.container));
    let reasons = [vec![why], followed.into_iter().collect(), story.reasons, said].concat();
    let advice = [story.advice, not_recorded(made)].concat();
    // What these options do not replace any more comes back with its text.
    let restored = record.map_or_else(Vec::new, |earlier| given_back(earlier, &object));
    Ok(Change { object: Some(object), restored, advice, ..Change::none(Action::Gated, reasons) })
}

fn given_back(record: &Record, object: &Value) -> Vec<(String, String)> {
    record.texts(object).map(|(pointer, text)| (pointer, text.to_owned())).collect()
}
