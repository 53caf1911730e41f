//! What a command answers that did what it was for.

use std::collections::HashMap;
use std::path::Path;

use plimsoll_core::Report;
use plimsoll_core::plan::{Blocked, IfAhead, Plan};
use plimsoll_core::script::How;
use plimsoll_core::standing::Standing;
use plimsoll_engine::resolve::Verdict;

use super::phase::Position;
use super::stdout::answer;
use super::{Output, Phase, Voice, hidden, own, prisma};
use crate::exit::Exit;
use crate::telemetry::Outcome;

/// What `plan` has found out.
pub(crate) struct Planned<'a> {
    pub(crate) plan: &'a Plan<'a>,
    /// How each script would be run, by the migration's name.
    pub(crate) hows: &'a HashMap<String, How>,
    /// `deploy` would create the database first.
    pub(crate) database_missing: bool,
}

/// The words of `wait`.
const CURRENT: &str = "the database stands at this project's migrations";

impl Output {
    /// `deploy` is done.
    pub(crate) fn deployed(&mut self, report: &Report, if_ahead: IfAhead) -> Exit {
        self.progress.clear();
        self.count();
        self.warn(report, if_ahead);
        match self.voice {
            Voice::Own => answer(&own::deployed(report, self.begun.elapsed())),
            Voice::Aside => self.log.info("deployed", own::deployed(report, self.begun.elapsed()).trim_end()),
            Voice::Prisma => prisma::deployed(report, self.generation()),
            Voice::Json => self.document(Exit::Success).report(report).print(),
        }
        self.report = Some(report.clone());
        if self.voice == Voice::Aside {
            // The message belongs to the command that follows: it must not be explained by what went well before it.
            self.position = Position::at(Phase::Exec);
            self.telemetry.ended(Outcome::Done, None);
            return Exit::Success;
        }
        self.done(
            Exit::Success,
            match report.applied.len() {
                0 => "up to date".to_owned(),
                many => format!("{many} applied"),
            },
        )
    }

    /// `status` has been found out.
    pub(crate) fn standing(&mut self, standing: &Standing) -> Exit {
        let standing = &hidden::in_logs(self.password.as_ref(), standing.clone());
        let mut exit = if standing.is_up_to_date() { Exit::Success } else { Exit::NotUpToDate };
        match self.voice {
            Voice::Own | Voice::Aside => own::standing(standing),
            Voice::Prisma => exit = prisma::standing(standing, exit, self.log),
            Voice::Json => self.document(exit).standing(standing).print(),
        }
        self.done(exit, if exit == Exit::Success { "up to date" } else { "not up to date" })
    }

    /// `resolve` is done.
    pub(crate) fn resolved(&mut self, name: &str, verdict: Verdict) -> Exit {
        match self.voice {
            Voice::Own | Voice::Aside => answer(&own::resolved(name, verdict)),
            Voice::Prisma => prisma::resolved(name, verdict),
            Voice::Json => self.document(Exit::Success).resolved(name, verdict).print(),
        }
        self.done(Exit::Success, own::resolved(name, verdict).trim_end())
    }

    /// `plan` has been made.
    pub(crate) fn planned(&mut self, planned: &Planned<'_>) -> Exit {
        let plan = planned.plan;
        let blocked = plan.blocked.as_ref().map(Blocked::diagnostic);
        let exit = blocked.as_ref().map_or(Exit::Success, |diagnostic| Exit::Class(diagnostic.code.class()));
        match self.voice {
            Voice::Json => {
                self.document(exit).plan(planned).error(blocked.as_ref()).print();
            }
            _ => own::planned(planned),
        }
        let Some(diagnostic) = blocked else {
            return self.done(exit, format!("{} to apply", plan.steps.len()));
        };
        if self.voice != Voice::Json {
            self.log.error(&diagnostic);
        }
        self.leave_message(exit, Err(&diagnostic));
        exit
    }

    /// `install` is done.
    pub(crate) fn installed(&mut self, path: &Path) -> Exit {
        let words = format!("installed {}", path.display());
        answer(&format!("{words}\n"));
        self.done(Exit::Success, words)
    }

    /// `inject` is done.
    pub(crate) fn finished(&mut self, exit: Exit, sentence: String) -> Exit {
        self.done(exit, sentence)
    }

    /// `wait` is over, and the database stands where it should.
    pub(crate) fn current(&mut self) -> Exit {
        match self.voice {
            Voice::Json => self.document(Exit::Success).print(),
            _ => answer(&format!("{CURRENT}\n")),
        }
        self.done(Exit::Success, CURRENT)
    }

    /// What does not keep a run from succeeding, and should be known all the same.
    fn warn(&self, report: &Report, if_ahead: IfAhead) {
        if !report.ahead.is_empty() && if_ahead == IfAhead::Warn {
            let names = report.ahead.join(", ");
            self.log.warn(&format!("the database is ahead of this project: it stands at {names}"));
        }
        if !report.unfinished.is_empty() && if_ahead == IfAhead::Warn {
            let names = report.unfinished.join(", ");
            self.log.warn(&format!("begun by another release and not finished: {names}"));
        }
        if !report.edited.is_empty() {
            let names = report.edited.join(", ");
            self.log.warn(&format!("changed since they were applied, which has no effect: {names}"));
        }
    }
}
