//! What is said of a command that did not do what it was for, and of what is done all the same.

use plimsoll_core::{Diagnostic, Report};

use super::log::Record;
use super::{AtStatement, Level, Output, Voice};
use crate::exit::Exit;
use crate::telemetry::Outcome;

impl Output {
    /// `inject` failed: every reason is told, and the first one decides how the process ends.
    pub(crate) fn troubled(&mut self, troubles: &[Diagnostic]) -> Exit {
        let Some((first, others)) = troubles.split_first() else { return Exit::Success };
        let exit = self.failed(first, None);
        for other in others {
            self.log.error(other);
        }
        exit
    }

    /// The command failed; what had been done by then is in the report.
    pub(crate) fn failed(&mut self, diagnostic: &Diagnostic, report: Option<&Report>) -> Exit {
        self.end(diagnostic, report, Exit::Class(diagnostic.code.class()))
    }

    /// The command was stopped by a signal.
    pub(crate) fn interrupted(
        &mut self,
        diagnostic: &Diagnostic,
        report: Option<&Report>,
        exit: Exit,
    ) -> Exit {
        self.end(diagnostic, report, exit)
    }

    fn end(&mut self, diagnostic: &Diagnostic, report: Option<&Report>, exit: Exit) -> Exit {
        self.progress.clear();
        let diagnostic = &self.safe(diagnostic);
        let outcome = match exit {
            Exit::Signal(_) => Outcome::Interrupted(diagnostic),
            _ => Outcome::Failed(diagnostic),
        };
        self.telemetry.ended(outcome, Some(exit));
        match self.voice {
            Voice::Json => {
                let document = self.document(exit).error(Some(diagnostic));
                match report {
                    Some(report) => document.report(report).print(),
                    None => document.print(),
                }
            }
            Voice::Prisma if self.command == "deploy" && diagnostic.code.as_str().starts_with("P3") => {
                self.count();
            }
            Voice::Own | Voice::Aside | Voice::Prisma => {}
        }
        self.log.error(diagnostic);
        self.say_steps_before();
        if let Some(report) = report.filter(|report| !report.applied.is_empty()) {
            let names: Vec<&str> = report.applied.iter().map(|applied| applied.name.as_str()).collect();
            let words = format!("applied before this, and committed: {}", names.join(", "));
            let fields = serde_json::json!({ "migrations": names });
            self.log.write(&Record::new(Level::Error, "applied_before", words).with(fields));
        }
        self.report = report.cloned().or(self.report.take());
        self.leave_message(exit, Err(diagnostic));
        exit
    }

    /// What of a migration that cannot be one transaction stays in the database, though the run ends in the middle of it.
    fn say_steps_before(&self) {
        let (Some(name), Some(AtStatement { number, of })) =
            (&self.position.migration, self.position.statement)
        else {
            return;
        };
        if number < 2 {
            return;
        }
        let words = format!("{name} ended in statement {number} of {of}: those before it are committed");
        let fields = serde_json::json!({ "migration": name, "number": number, "of": of });
        self.log.write(&Record::new(Level::Error, "steps_before", words).with(fields));
    }
}
