//! The text of the termination message: one line for people, one line of JSON, and never more than fits.

use serde_json::{Map, Value, json};

use super::Ending;
use crate::output::whole;

/// The most bytes of both lines: the kubelet takes 4096 of one container and 12288 of a pod, which may have many.
pub(super) const MOST: usize = 1024;

/// The most bytes of the line for people. It repeats some of the JSON, which must not starve.
const LINE: usize = 400;

/// What a text that was cut ends with.
const CUT: &str = "…";

/// The version of the shape of the JSON line. Fields may be added to it; any other change is another version.
const VERSION: u32 = 1;

/// The whole message.
pub(super) fn text(ending: &Ending<'_>, release: Option<&str>) -> String {
    let sentence = match &ending.outcome {
        Ok(done) => format!("{done}, {} ms", ending.took.as_millis()),
        Err(diagnostic) => format!("{diagnostic}{}", statement(ending)),
    };
    let line = cut(&one_line(&sentence), LINE);
    let json = document(ending, release, MOST - line.len() - 2);
    format!("{line}\n{json}\n")
}

/// In which statement of which migration the run ended.
fn statement(ending: &Ending<'_>) -> String {
    match (ending.statement, ending.migration) {
        (Some(statement), Some(migration)) => format!(" (in {statement} of `{migration}`)"),
        _ => String::new(),
    }
}

/// The JSON line: what is always there, then the rest in the order in which it matters, as far as it fits.
fn document(ending: &Ending<'_>, release: Option<&str>, room: usize) -> String {
    let diagnostic = ending.outcome.as_ref().err();
    let applied = ending.report.map_or(&[][..], |report| &report.applied);
    let mut fields = Fields { map: Map::new(), room };
    fields.map.insert("version".to_owned(), json!(VERSION));
    fields.map.insert("command".to_owned(), json!(ending.command));
    fields.map.insert("exit_code".to_owned(), json!(ending.exit.code()));
    fields.map.insert("code".to_owned(), json!(diagnostic.map(|diagnostic| diagnostic.code.as_str())));
    fields.map.insert("phase".to_owned(), json!(ending.phase.name()));
    fields.map.insert("took_ms".to_owned(), json!(whole(ending.took)));
    fields.map.insert("applied".to_owned(), json!({ "count": applied.len(), "names": [] }));
    if let Some(statement) = ending.statement {
        fields.map.insert("statement".to_owned(), json!({ "number": statement.number, "of": statement.of }));
    }
    if let Some(migration) = ending.migration {
        fields.add("migration", migration, 255);
    }
    if let Some(diagnostic) = diagnostic {
        let said = diagnostic.database.as_deref();
        fields.add("sqlstate", said.and_then(|said| said.code.as_deref()).unwrap_or_default(), 16);
        fields.add("place", &diagnostic.place.as_deref().map_or_else(String::new, ToString::to_string), 255);
        fields.add("hint", diagnostic.help.first().map_or("", String::as_str), 200);
    }
    fields.add("release", release.unwrap_or_default(), 120);
    fields.add_applied(applied.iter().map(|applied| applied.name.as_str()));
    Value::Object(fields.map).to_string()
}

/// An object that never becomes longer than there is room.
struct Fields {
    map: Map<String, Value>,
    room: usize,
}

impl Fields {
    /// Adds a text, as much of it as fits and not more than `most` bytes; one that is empty is left out.
    fn add(&mut self, name: &str, text: &str, most: usize) {
        let mut value = cut(&one_line(text), most);
        while !value.is_empty() {
            self.map.insert(name.to_owned(), json!(value));
            let excess = self.excess();
            if excess == 0 {
                return;
            }
            // Each round is shorter by at least a byte, whatever JSON makes of the characters.
            value = cut(&value, value.len().saturating_sub(excess.max(CUT.len() + 1)));
        }
        self.map.remove(name);
    }

    /// Adds the first of these names to those of the applied migrations, as many as fit.
    fn add_applied<'a>(&mut self, applied: impl Iterator<Item = &'a str>) {
        let mut names = Vec::new();
        for name in applied {
            names.push(json!(name));
            self.map["applied"]["names"] = json!(names);
            if self.excess() > 0 {
                names.pop();
                break;
            }
        }
        self.map["applied"]["names"] = Value::Array(names);
    }

    fn excess(&self) -> usize {
        let length = serde_json::to_string(&self.map).map_or(usize::MAX, |text| text.len());
        length.saturating_sub(self.room)
    }
}

/// A text without line breaks and control characters, and with single blanks.
fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(blank).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of at most so many bytes, cut between two characters; what was cut shows that it was.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    match most.checked_sub(CUT.len()) {
        None | Some(0) => String::new(),
        Some(room) => format!("{}{CUT}", &text[..text.floor_char_boundary(room)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::output::{AtStatement, Phase};
    use plimsoll_core::{AppliedMigration, Code, DatabaseMessage, Diagnostic, Place, Report};
    use std::time::Duration;

    fn report(names: &[String]) -> Report {
        let applied = |name: &String| AppliedMigration { name: name.clone(), took: Duration::ZERO };
        Report { applied: names.iter().map(applied).collect(), ..Report::default() }
    }

    fn validated(text: &str) -> Value {
        assert!(text.len() <= MOST, "{} bytes", text.len());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        let schema = include_str!("../../../../docs/schema/termination.v1.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        let document: Value =
            serde_json::from_str(lines[1]).unwrap_or_else(|error| panic!("{error}: {text}"));
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}: {text}");
        document
    }

    fn failure<'a>(diagnostic: &'a Diagnostic, migration: &'a str, report: &'a Report) -> Ending<'a> {
        Ending {
            command: "deploy",
            exit: Exit::Class(diagnostic.code.class()),
            phase: Phase::Apply,
            migration: Some(migration),
            statement: None,
            outcome: Err(diagnostic),
            report: Some(report),
            took: Duration::from_millis(41),
        }
    }

    #[test]
    fn a_failure_says_what_where_and_what_next() {
        let said =
            DatabaseMessage { code: Some("42P01".to_owned()), ..DatabaseMessage::new("no\nsuch table") };
        let diagnostic = Diagnostic::new(Code::MigrationFailed, "a migration failed: `2_bad`")
            .at(Place::new("m/2_bad/migration.sql", "SELECT nope", 7..11))
            .said_by(said)
            .help("correct it");
        let report = report(&["1_init".to_owned()]);
        insta::assert_snapshot!(text(&failure(&diagnostic, "2_bad", &report), Some("shop/app:1.4.2")), @r#"
        P3018: a migration failed: `2_bad` (m/2_bad/migration.sql:1:8): no such table
        {"version":1,"command":"deploy","exit_code":65,"code":"P3018","phase":"apply","took_ms":41,"applied":{"count":1,"names":["1_init"]},"migration":"2_bad","sqlstate":"42P01","place":"m/2_bad/migration.sql:1:8","hint":"correct it","release":"shop/app:1.4.2"}
        "#);
    }

    #[test]
    fn an_end_in_the_middle_of_a_migration_names_the_step() {
        let (diagnostic, report) = (Diagnostic::new(Code::Interrupted, "interrupted"), report(&[]));
        let ending = Ending {
            statement: Some(AtStatement { number: 2, of: 5 }),
            ..failure(&diagnostic, "2_big", &report)
        };
        let text = text(&ending, None);
        assert!(text.starts_with("PLM301: interrupted (in statement 2 of 5 of `2_big`)\n"), "{text}");
        assert_eq!(validated(&text)["statement"], json!({ "number": 2, "of": 5 }));
    }

    #[test]
    fn what_is_left_out_first_are_names_and_the_count_stays() {
        let names: Vec<String> = (0..500).map(|n| format!("20260101{n:06}_migration")).collect();
        let report = report(&names);
        let ending = Ending {
            command: "deploy",
            exit: Exit::Success,
            phase: Phase::Done,
            migration: None,
            statement: None,
            outcome: Ok("500 applied".to_owned()),
            report: Some(&report),
            took: Duration::from_millis(41),
        };
        let text = text(&ending, None);
        assert!(text.starts_with("500 applied, 41 ms\n"));
        let document = validated(&text);
        assert_eq!(document["applied"]["count"], 500);
        let shown = document["applied"]["names"].as_array().unwrap();
        assert!(shown.len() > 20 && shown[0] == names[0]);
    }

    proptest::proptest! {
        #[test]
        fn it_is_always_short_enough_and_always_json(
            message in "\\PC{0,600}", help in ".{0,300}", name in "[\"\\\\a-zäß😀\\u{1}]{0,400}",
            release in ".{0,200}", many in 0_usize..60, statement in proptest::option::of(1_usize..usize::MAX),
        ) {
            let statement = statement.map(|number| AtStatement { number, of: usize::MAX });
            let diagnostic = Diagnostic::new(Code::MigrationFailed, message)
                .at(Place::new(name.as_str(), "x", 0..1)).help(help);
            let report = report(&vec![name.clone(); many]);
            let ending = Ending { statement, ..failure(&diagnostic, &name, &report) };
            let document = validated(&text(&ending, Some(&release)));
            proptest::prop_assert_eq!(&document["applied"]["count"], &json!(many));
        }
    }
}
