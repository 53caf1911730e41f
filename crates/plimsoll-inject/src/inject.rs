//! From documents to the same documents with gates in them, and back.

use std::collections::BTreeMap;

use plimsoll_core::Diagnostic;
use serde_json::Value;

use crate::annotations;
use crate::change::{Change, Present, change};
use crate::earlier::Earlier;
use crate::options::Given;
use crate::outcome::{Action, At, Outcome, Restored, Trouble};
use crate::record::Record;
use crate::select::{Candidate, Choice, choose, choose_alone};
use crate::settings::{Existing, Settings};
use crate::survey::Survey;
use crate::target::{NOT_NAMED, check_targets, is_named};
use crate::value::text;
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
    let (candidates, records): (Vec<Candidate>, Vec<Option<Earlier>>) = candidates.into_iter().unzip();
    let choices = choose_or_keep(&candidates, &records, flags)
        .map_err(|diagnostic| vec![Trouble { at: None, diagnostic }])?;
    let mut injected = Injected { documents: documents.to_vec(), restored: Vec::new(), outcomes: Vec::new() };
    let mut troubles = Vec::new();
    for ((candidate, record), choice) in candidates.iter().zip(&records).zip(choices) {
        let at = &candidate.workload.at;
        let text = |pointer: &str| texts(at.document, &format!("{}{pointer}", at.pointer));
        let present = Present { object: candidate.workload.object(documents), text: &text };
        match change(candidate, record.as_ref(), choice, facts, &present) {
            Ok(change) => injected.take(&candidate.workload, change),
            Err(trouble) => troubles.push(about(at, trouble)),
        }
    }
    if troubles.is_empty() { Ok(injected) } else { Err(troubles) }
}

/// One object with a gate in it, or as it was.
#[derive(Clone, Debug)]
pub struct InjectedOne {
    /// The object.
    pub object: Value,
    /// What was decided about it, and why.
    pub outcome: Outcome,
}

/// Puts a gate into one object if it needs one, as for a webhook that sees every object pass by.
///
/// That nothing speaks for a gate, that a target is another one, or that the object runs no pods is an outcome and no error:
/// the object is left alone. A Secret among the options says where a gate finds its URL, and not that there has to be one.
/// An error is a value that cannot be, or a workload that needs a gate and cannot have one.
pub fn inject_one(object: &Value, options: &Given, facts: &Facts) -> Result<InjectedOne, Diagnostic> {
    Settings::values(options, None)?;
    let documents = std::slice::from_ref(object);
    let Some(workload) = workloads(documents, options)?.into_iter().find(|found| found.at.pointer.is_empty())
    else {
        return Ok(InjectedOne { object: object.clone(), outcome: no_workload(object) });
    };
    let (candidate, record) = candidate(workload, documents, options, facts)?;
    let choice = choose_alone(&candidate, options)?;
    let present = Present { object, text: &|_| None };
    let change = change(&candidate, record.as_ref(), choice, facts, &present)?;
    let outcome = change.outcome(&candidate.workload);
    Ok(InjectedOne { object: change.object.unwrap_or_else(|| object.clone()), outcome })
}

fn no_workload(object: &Value) -> Outcome {
    let part = |pointer| text(object, pointer).unwrap_or_default();
    Outcome {
        at: At { document: 0, pointer: String::new() },
        name: format!("{}/{}", part("/kind"), part("/metadata/name")),
        action: Action::Left,
        reasons: vec!["it runs no pods".to_owned()],
        advice: Vec::new(),
    }
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
            injected.take(&workload, Change::none(Action::Left, vec![NOT_NAMED.to_owned()]));
            continue;
        }
        match removed(&workload, workload.object(documents)) {
            Ok(change) => injected.take(&workload, change),
            Err(diagnostic) => troubles.push(about(&workload.at, diagnostic)),
        }
    }
    if troubles.is_empty() { Ok(injected) } else { Err(troubles) }
}

fn removed(workload: &Workload, object: &Value) -> Result<Change, Diagnostic> {
    let Some(record) = Record::read(workload, object)? else {
        return Ok(Change::none(Action::Left, vec!["no gate of an earlier run is in it".to_owned()]));
    };
    let why = format!("container `{}` was put in by an earlier run", record.container);
    Change::undone(workload, &Earlier::new(record, object.clone(), &BTreeMap::new()), why)
}

impl Injected {
    fn take(&mut self, workload: &Workload, change: Change) {
        self.outcomes.push(change.outcome(workload));
        let At { document, pointer } = &workload.at;
        let restored = change.restored.into_iter().map(|(place, text)| Restored {
            document: *document,
            pointer: format!("{pointer}{place}"),
            text,
        });
        self.restored.extend(restored);
        if let (Some(object), Some(place)) = (change.object, workload.object_mut(&mut self.documents)) {
            *place = object;
        }
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
) -> Result<(Candidate, Option<Earlier>), Diagnostic> {
    let object = workload.object(documents).clone();
    let record = Record::read(&workload, &object)?;
    let earlier = record.map(|record| Earlier::new(record, object.clone(), &facts.scripts));
    let given = flags.over(&annotations::of(&workload, &object)?);
    let settings = Settings::read(&given, facts.url_variable.as_deref())
        .map_err(|wrong| annotations::about(&workload, &given, wrong))?;
    let earlier = match settings.existing {
        Existing::Replace => earlier,
        Existing::Keep => earlier.map(Earlier::without_takeover),
    };
    let object = earlier.as_ref().map_or(object, Earlier::before);
    let pod = object.pointer(&workload.pod()).unwrap_or(&Value::Null);
    let survey = Survey::of(pod, &settings.env, &facts.scripts);
    Ok((Candidate { workload, object, settings, survey }, earlier))
}

/// Decides; an input in which every gate is from an earlier run is no error, although nothing asks for one now.
fn choose_or_keep(
    candidates: &[Candidate],
    records: &[Option<Earlier>],
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
