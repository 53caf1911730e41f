//! The JSON document: one for each command, all of one shape, described in docs/output.md.

use std::time::Duration;

use plimsoll_core::plan::{FailedAttempt, Step};
use plimsoll_core::script::Because;
use plimsoll_core::standing::Standing;
use plimsoll_core::{Diagnostic, Place, Report, harmless};
use plimsoll_engine::resolve::Verdict;
use serde_json::{Map, Value, json};

use super::{Introduction, Planned, data, own};
use crate::exit::Exit;

/// The version of the document's shape. Fields may be added to it; any other change is another version.
const VERSION: u32 = 1;

/// A document under construction.
pub(super) struct Document(Map<String, Value>);

impl Document {
    pub(super) fn new(command: &str, exit: Exit, project: Option<&Introduction>, took: Duration) -> Self {
        let mut fields = Map::new();
        fields.insert("version".to_owned(), json!(VERSION));
        fields.insert("command".to_owned(), json!(command));
        fields.insert("exit_code".to_owned(), json!(exit.code()));
        fields.insert("milliseconds".to_owned(), json!(took.as_millis()));
        fields.insert("database".to_owned(), project.map_or(Value::Null, database));
        fields.insert("error".to_owned(), Value::Null);
        Self(fields)
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub(super) fn error(self, diagnostic: Option<&Diagnostic>) -> Self {
        self.with("error", diagnostic.map_or(Value::Null, error))
    }

    pub(super) fn report(self, report: &Report) -> Self {
        let applied: Vec<Value> = report
            .applied
            .iter()
            .map(|applied| json!({ "name": applied.name, "milliseconds": applied.took.as_millis() }))
            .collect();
        self.with("applied", json!(applied))
            .with("pending", json!(report.pending))
            .with("edited", json!(report.edited))
            .with("ahead", json!(report.ahead))
            .with("database_created", json!(report.database_created))
    }

    pub(super) fn standing(self, standing: &Standing) -> Self {
        let failed: Vec<Value> = standing.failed.iter().map(failed).collect();
        self.with("up_to_date", json!(standing.is_up_to_date()))
            .with("found", json!(standing.found))
            .with("pending", json!(standing.pending))
            .with("failed", json!(failed))
            .with("under_way", json!(standing.under_way))
            .with("edited", json!(standing.edited))
            .with("ahead", json!(standing.ahead))
    }

    pub(super) fn plan(self, planned: &Planned<'_>) -> Self {
        let plan = planned.plan;
        let steps: Vec<Value> = plan.steps.iter().map(|step| planned_step(step, planned)).collect();
        self.with("up_to_date", json!(plan.is_up_to_date()))
            .with("steps", json!(steps))
            .with("edited", json!(plan.edited))
            .with("ahead", json!(plan.ahead))
            .with("database_missing", json!(planned.database_missing))
    }

    pub(super) fn resolved(self, name: &str, verdict: Verdict) -> Self {
        let verdict = match verdict {
            Verdict::Applied => "applied",
            Verdict::RolledBack => "rolled_back",
            Verdict::Resume => "resumed",
        };
        self.with("resolved", json!({ "name": name, "as": verdict }))
    }

    pub(super) fn print(self) {
        data(&format!("{}\n", harmless::in_json(&Value::Object(self.0))));
    }
}

fn planned_step(step: &Step<'_>, planned: &Planned<'_>) -> Value {
    let (migration, how) = (step.migration, planned.hows.get(step.migration.name()));
    let because = |because: &Because| {
        let at = migration.place(because.span.clone());
        json!({ "what": because.what, "place": at.as_ref().map(place) })
    };
    json!({
        "name": migration.name(),
        "how": own::manner(migration, how),
        "resumes": step.resume.is_some(),
        "shape": how.map_or("unreadable", |how| how.manner.word()),
        "parts": how.and_then(|how| how.manner.parts()),
        "because": how.map_or_else(Vec::new, |how| how.because.iter().map(because).collect()),
    })
}

fn failed(attempt: &FailedAttempt) -> Value {
    json!({
        "name": attempt.migration,
        "started_at": attempt.started_at.to_string(),
        "logs": attempt.logs,
        "statements_done": attempt.progress.as_ref().map(|progress| progress.done.count),
        "script": attempt.script.word(),
        "resumable": attempt.can_be_resumed(),
        "help": attempt.ways_on(),
    })
}

fn database(project: &Introduction) -> Value {
    json!({
        "provider": project.provider.lock_name(),
        "name": project.database,
        "address": project.address,
        "schemas": project.schemas,
    })
}

pub(super) fn error(diagnostic: &Diagnostic) -> Value {
    let said = diagnostic.database.as_deref().map(|said| {
        json!({ "message": said.message, "code": said.code, "detail": said.detail, "hint": said.hint, "context": said.context })
    });
    json!({
        "code": diagnostic.code.as_str(),
        "message": diagnostic.message,
        "place": diagnostic.place.as_deref().map(place),
        "database": said,
        "help": diagnostic.help,
    })
}

fn place(place: &Place) -> Value {
    json!({ "file": place.file(), "line": place.line(), "column": place.column() })
}
