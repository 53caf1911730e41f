//! From documents to the same documents with gates in them, and back.

use std::collections::BTreeMap;

use plimsoll_core::Diagnostic;
use plimsoll_core::secret::mask;
use serde_json::{Value, json};

use crate::annotations;
use crate::edit::Editor;
use crate::gate;
use crate::images;
use crate::options::Given;
use crate::outcome::{Action, At, Outcome, Restored, Trouble};
use crate::record::Record;
use crate::select::{Candidate, Choice, choose};
use crate::settings::Settings;
use crate::survey::Survey;
use crate::target::{NOT_NAMED, check_targets, is_named};
use crate::workload::{self, TemplatePath, Workload};

/// What is known about the project whose migrations the gate applies.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The variable that holds the URL.
    pub url_variable: Option<String>,
    /// Every other variable that the project needs for a migration.
    pub variables: Vec<String>,
    /// The scripts of its `package.json`, by name.
    pub scripts: BTreeMap<String, String>,
}

/// Documents with gates in them, or without those that were in them.
#[derive(Debug)]
pub struct Injected {
    /// The documents, in their order; those without a workload are as they were.
    pub documents: Vec<Value>,
    /// Values that come back with the texts that they had.
    pub restored: Vec<Restored>,
    /// One for each workload, in their order.
    pub outcomes: Vec<Outcome>,
}

/// Says how the value at a JSON pointer of a document (counted from 0) was written, if anybody knows.
///
/// What a run replaces is recorded with this text, so that it can come back byte by byte.
pub type Texts<'t> = dyn Fn(usize, &str) -> Option<String> + 't;

/// Puts gates into the workloads that need one.
///
/// What an earlier run did is undone first. A gate that an earlier run made and that nothing asks for now is kept: only
/// [`remove`], or `plimsoll.dev/inject: "false"`, takes it out. With any error nothing is changed.
pub fn inject(
    documents: &[Value],
    flags: &Given,
    facts: &Facts,
    texts: &Texts<'_>,
) -> Result<Injected, Vec<Trouble>> {
    // A wrong flag is told once, and also if there is no workload that it could be wrong for.
    Settings::values(flags, None).map_err(|wrong| vec![Trouble { at: None, diagnostic: wrong.into() }])?;
    let workloads =
        workloads(documents, flags).map_err(|diagnostic| vec![Trouble { at: None, diagnostic }])?;
    let read = workloads.into_iter().map(|workload| {
        let at = workload.at.clone();
        candidate(workload, documents, flags, facts).map_err(|diagnostic| about(&at, diagnostic))
    });
    let (candidates, troubles) = split(read);
    if !troubles.is_empty() {
        return Err(troubles);
    }
    let (candidates, records): (Vec<Candidate>, Vec<Option<Record>>) = candidates.into_iter().unzip();
    let choices = choose_or_keep(&candidates, &records, flags)
        .map_err(|diagnostic| vec![Trouble { at: None, diagnostic }])?;
    let mut injected = Injected { documents: documents.to_vec(), restored: Vec::new(), outcomes: Vec::new() };
    let mut troubles = Vec::new();
    for ((candidate, record), choice) in candidates.iter().zip(&records).zip(choices) {
        if let Err(trouble) = one(&mut injected, candidate, record.as_ref(), choice, facts, texts) {
            troubles.push(about(&candidate.workload.at, trouble));
        }
    }
    if troubles.is_empty() { Ok(injected) } else { Err(troubles) }
}

/// Takes out the gates that earlier runs put in, and gives back what they replaced.
///
/// With targets only theirs; a target that names nothing is an error.
pub fn remove(documents: &[Value], flags: &Given) -> Result<Injected, Vec<Trouble>> {
    let workloads =
        workloads(documents, flags).map_err(|diagnostic| vec![Trouble { at: None, diagnostic }])?;
    let targets = flags.many("target");
    check_targets(targets, workloads.iter()).map_err(|diagnostic| vec![Trouble { at: None, diagnostic }])?;
    let mut injected = Injected { documents: documents.to_vec(), restored: Vec::new(), outcomes: Vec::new() };
    let mut troubles = Vec::new();
    for workload in workloads {
        if !targets.is_empty() && !targets.iter().any(|target| is_named(&workload, target)) {
            injected.say(&workload, Action::Left, vec![NOT_NAMED.to_owned()], Vec::new());
            continue;
        }
        match Record::read(&workload, workload.object(documents)) {
            Ok(Some(record)) => {
                let mut object = workload.object(documents).clone();
                record.undo(&mut object);
                let reasons = vec![format!("container `{}` was put in by an earlier run", record.container)];
                injected.give_back(&workload, &record, object);
                injected.say(&workload, Action::Removed, reasons, Vec::new());
            }
            Ok(None) => {
                injected.say(
                    &workload,
                    Action::Left,
                    vec!["no gate of an earlier run is in it".to_owned()],
                    Vec::new(),
                );
            }
            Err(diagnostic) => troubles.push(about(&workload.at, diagnostic)),
        }
    }
    if troubles.is_empty() { Ok(injected) } else { Err(troubles) }
}

impl Injected {
    fn put(&mut self, workload: &Workload, object: Value) {
        if let Some(place) = workload.object_mut(&mut self.documents) {
            *place = object;
        }
    }

    fn give_back(&mut self, workload: &Workload, record: &Record, object: Value) {
        for (pointer, text) in record.texts(&object) {
            let pointer = format!("{}{pointer}", workload.at.pointer);
            self.restored.push(Restored { document: workload.at.document, pointer, text: text.to_owned() });
        }
        self.put(workload, object);
    }

    /// A command that is told may hold a URL with its password.
    fn say(&mut self, workload: &Workload, action: Action, reasons: Vec<String>, advice: Vec<String>) {
        let masked = |sentences: Vec<String>| sentences.iter().map(|sentence| mask(sentence)).collect();
        self.outcomes.push(Outcome {
            at: workload.at.clone(),
            name: workload.title(),
            action,
            reasons: masked(reasons),
            advice: masked(advice),
        });
    }
}

fn workloads(documents: &[Value], flags: &Given) -> Result<Vec<Workload>, Diagnostic> {
    let paths = flags
        .many("template-path")
        .iter()
        .map(|path| TemplatePath::parse(path))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(workload::find(documents, &paths))
}

fn about(at: &At, diagnostic: Diagnostic) -> Trouble {
    Trouble { at: Some(at.clone()), diagnostic }
}

fn split<T>(results: impl Iterator<Item = Result<T, Trouble>>) -> (Vec<T>, Vec<Trouble>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => good.push(value),
            Err(trouble) => bad.push(trouble),
        }
    }
    (good, bad)
}

fn candidate(
    workload: Workload,
    documents: &[Value],
    flags: &Given,
    facts: &Facts,
) -> Result<(Candidate, Option<Record>), Diagnostic> {
    let mut object = workload.object(documents).clone();
    let record = Record::read(&workload, &object)?;
    if let Some(record) = &record {
        record.undo(&mut object);
    }
    let given = flags.over(&annotations::of(&workload, &object)?);
    let settings = Settings::read(&given, facts.url_variable.as_deref())
        .map_err(|wrong| annotations::about(&workload, &given, wrong))?;
    let pod = object.pointer(&workload.pod()).unwrap_or(&Value::Null);
    let survey = Survey::of(pod, &settings.env, &facts.scripts);
    Ok((Candidate { workload, object, settings, survey }, record))
}

/// Decides; an input in which every gate is from an earlier run is no error, although nothing asks for one now.
fn choose_or_keep(
    candidates: &[Candidate],
    records: &[Option<Record>],
    flags: &Given,
) -> Result<Vec<Choice>, Diagnostic> {
    match choose(candidates, flags) {
        Err(trouble) if flags.many("target").is_empty() && records.iter().any(Option::is_some) => {
            let keep = records.iter().map(|record| match record {
                Some(_) => Choice::Leave("nothing asks for its gate now".to_owned()),
                None => Choice::Leave(trouble.message.clone()),
            });
            Ok(keep.collect())
        }
        choices => choices,
    }
}

fn one(
    injected: &mut Injected,
    candidate: &Candidate,
    record: Option<&Record>,
    choice: Choice,
    facts: &Facts,
    texts: &Texts<'_>,
) -> Result<(), Diagnostic> {
    let workload = &candidate.workload;
    match (choice, record) {
        (Choice::Gate(_), _) | (Choice::Leave(_), None) if let Some(gate) = candidate.survey.gate() => {
            let reason = format!("container `{gate}` runs Plimsoll already, and no earlier run put it there");
            injected.say(workload, Action::Kept, vec![reason], Vec::new());
        }
        (Choice::Gate(why), _) => return gated(injected, candidate, record, why, facts, texts),
        (Choice::Leave(why), Some(record)) => {
            let kept =
                format!("container `{}` is from an earlier run; `--remove` takes it out", record.container);
            let before = workload.object(&injected.documents);
            let behind = images::left_behind(candidate, before, record, &facts.variables);
            injected.say(workload, Action::Kept, vec![why, kept], behind.into_iter().collect());
        }
        (Choice::Refuse(why), Some(record)) => {
            injected.give_back(workload, record, candidate.object.clone());
            injected.say(workload, Action::Removed, vec![why], Vec::new());
        }
        (Choice::Leave(why) | Choice::Refuse(why), None) => {
            injected.say(workload, Action::Left, vec![why], Vec::new());
        }
    }
    Ok(())
}

fn gated(
    injected: &mut Injected,
    candidate: &Candidate,
    record: Option<&Record>,
    why: String,
    facts: &Facts,
    texts: &Texts<'_>,
) -> Result<(), Diagnostic> {
    let workload = &candidate.workload;
    // The texts of what an earlier run replaced stand in its record; the input has only what that run wrote.
    let earlier: BTreeMap<String, &str> =
        record.map_or_else(BTreeMap::new, |record| record.texts(&candidate.object).collect());
    let text = |pointer: &str| match record {
        None => texts(workload.at.document, &format!("{}{pointer}", workload.at.pointer)),
        Some(_) => earlier.get(pointer).map(|text| (*text).to_owned()),
    };
    let mut editor = Editor::new(&candidate.object, &text);
    editor.need_map("/metadata/annotations");
    let story = gate::put(&mut editor, candidate, facts)?;
    let (mut object, undo) = editor.finish();
    let made = Record { container: story.container.clone(), pod: workload.pod(), undo };
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.insert("plimsoll.dev/gate".to_owned(), json!(made.write()));
    }
    let before = workload.object(&injected.documents);
    let followed = record.and_then(|earlier| images::followed(before, &object, earlier, &made.container));
    match record {
        // What these options do not replace any more comes back with its text.
        Some(earlier) => injected.give_back(workload, earlier, object),
        None => injected.put(workload, object),
    }
    let mut reasons = vec![why];
    reasons.extend(followed);
    reasons.extend(story.reasons);
    injected.say(workload, Action::Gated, reasons, story.advice);
    Ok(())
}
