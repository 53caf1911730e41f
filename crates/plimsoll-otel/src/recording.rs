//! What is written down while a run goes on: the engine's events become spans and times.

use std::collections::BTreeSet;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use plimsoll_core::Diagnostic;
use plimsoll_core::url::DatabaseUrl;
use plimsoll_engine::{Blocker, Certainty, Event, Holder};

use crate::Outcome;
use crate::attributes::{self, number, text};
use crate::clock::Clock;
use crate::metrics::{Measured, Waits};
use crate::parent::Parent;
use crate::spans::{Spans, Step};

/// The attribute that says what became of a migration.
const BECAME: &str = "plimsoll.migration.outcome";

/// A run, as far as it has come.
#[derive(Debug)]
pub(crate) struct Recording {
    clock: Clock,
    command: &'static str,
    resource: Resource,
    database: Vec<KeyValue>,
    spans: Spans,
    waits: Waits,
    /// Those that this run has applied, without those that a failover has lost.
    applied: BTreeSet<String>,
    /// How often the migration that is being applied has been sent.
    sent: u64,
    /// In which word the run ended, and with which code if it failed.
    ended: Option<(&'static str, Option<&'static str>)>,
}

/// What is to be sent of it.
pub(crate) struct Finished {
    pub(crate) resource: Resource,
    /// Nothing if whoever began the trace does not keep it.
    pub(crate) spans: Vec<Span>,
    pub(crate) measured: Measured,
}

impl Recording {
    /// A run of this command begins.
    pub(crate) fn begin(
        clock: Clock,
        command: &'static str,
        parent: Option<Parent>,
        resource: Resource,
        release: Option<String>,
    ) -> Self {
        let mut spans = Spans::new(clock, parent);
        let mut known = vec![
            text("plimsoll.command", command),
            text("process.executable.name", "plimsoll"),
            number("process.pid", std::process::id()),
        ];
        known.extend(release.map(|release| text("plimsoll.release", release)));
        spans.begin(Step::Run, format!("plimsoll {command}"), known);
        let (database, waits, applied) = (Vec::new(), Waits::default(), BTreeSet::new());
        Self { clock, command, resource, database, spans, waits, applied, sent: 0, ended: None }
    }

    pub(crate) fn database(&mut self, url: &DatabaseUrl) {
        self.database = attributes::database(url);
        self.spans.describe(Step::Run, self.database.clone());
    }

    pub(crate) fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Connecting { number } => self.connecting(*number),
            Event::NotConnected { why, .. } => self.spans.event("not connected", attributes::exception(why)),
            Event::Opened => self.end(Step::Connect),
            Event::Waiting { why, .. } => self.waiting(why),
            Event::Connected { .. } => self.end(Step::Wait),
            Event::DatabaseCreated => self.spans.event("database created", Vec::new()),
            Event::Locking => self.locking(),
            Event::WaitingForLock { holder } => self.held_by(*holder),
            Event::Locked => self.end(Step::Lock),
            Event::Ahead { names, .. } => self.ahead(names),
            Event::Applying { name, number, of } => self.applying(name, *number, *of),
            Event::Sending { .. } => self.sending(),
            Event::Statement { number: at, of, .. } => {
                let at = [number("plimsoll.statement.number", *at), number("plimsoll.statement.count", *of)];
                self.spans.describe(Step::Migration, at);
            }
            Event::Retrying { why, .. } => self.spans.event("retrying", attributes::exception(why)),
            Event::Reconnecting { why } => {
                self.end(Step::Lock);
                self.spans.event("connection lost", attributes::exception(why));
            }
            Event::Blocked { blockers, .. } => self.blocked(blockers),
            Event::Applied { name, .. } => self.applied(name),
            Event::Forgotten { name } => self.forgotten(name),
            // A note may quote a statement; what a newer engine tells is not known.
            _ => {}
        }
    }

    /// Several tries are one span. While something else is waited for a connection is made for each look, which nobody wants
    /// to see.
    fn connecting(&mut self, tries: u32) {
        let waits = [Step::Await, Step::Ahead].into_iter().any(|step| self.spans.is_open(step));
        self.end(Step::Lock);
        if !self.spans.is_open(Step::Connect) && !waits {
            self.spans.begin(Step::Connect, "connect", self.database.clone());
        }
        self.spans.describe(Step::Connect, [number("plimsoll.connect.tries", tries)]);
    }

    /// Within a connection for its server, otherwise for those who apply the migrations, or for a file that has the URL.
    fn waiting(&mut self, why: &Diagnostic) {
        if self.spans.is_open(Step::Connect) {
            self.spans.begin(Step::Wait, "wait for the database", Vec::new());
        } else if !self.spans.is_open(Step::Await) && self.command == "wait" && !self.database.is_empty() {
            self.spans.begin(Step::Await, "wait for the migrations", self.database.clone());
        }
        self.spans.event("waiting", attributes::exception(why));
    }

    fn locking(&mut self) {
        self.end(Step::Ahead);
        if !self.spans.is_open(Step::Lock) {
            self.spans.begin(Step::Lock, "lock", self.database.clone());
        }
    }

    fn held_by(&mut self, holder: Option<&Holder>) {
        let known = holder.map_or_else(Vec::new, |holder| {
            let connection = holder.connection.as_ref().map(|it| text("plimsoll.holder.connection", it));
            let mut known = vec![text("plimsoll.holder.name", &holder.application)];
            known.extend(connection);
            known
        });
        if !self.spans.is_open(Step::Migration) {
            self.locking();
        }
        self.spans.event("held by another", known);
    }

    /// An event for each of those that are described to people too. What they do is theirs: their statements may hold rows.
    fn blocked(&mut self, blockers: &[Blocker]) {
        const MOST: usize = 3;
        for blocker in blockers.iter().take(MOST) {
            let certainty = match blocker.certainty {
                Certainty::Sure => "sure",
                Certainty::Possible => "possible",
            };
            let mut known = vec![
                text("plimsoll.blocker.connection", &blocker.connection),
                text("plimsoll.blocker.certainty", certainty),
                number("plimsoll.blocker.count", blockers.len()),
            ];
            known.extend(blocker.application.as_ref().map(|name| text("plimsoll.blocker.name", name)));
            self.spans.event("blocked", known);
        }
    }

    fn ahead(&mut self, names: &[String]) {
        self.end(Step::Lock);
        if !self.spans.is_open(Step::Ahead) {
            let count = number("plimsoll.migrations.ahead", names.len());
            self.spans.begin(Step::Ahead, "wait while ahead", vec![count]);
        }
    }

    fn applying(&mut self, name: &str, at: usize, of: usize) {
        for step in [Step::Migration, Step::Lock, Step::Ahead] {
            self.end(step);
        }
        self.sent = 0;
        let mut known = self.database.clone();
        known.extend([
            text("plimsoll.migration.name", name),
            number("plimsoll.migration.number", at),
            number("plimsoll.migration.count", of),
            // Unless we hear something better: another runner was faster.
            text(BECAME, "overtaken"),
        ]);
        self.spans.begin(Step::Migration, of_migration(name), known);
    }

    fn sending(&mut self) {
        self.end(Step::Lock);
        self.sent += 1;
        self.spans.describe(Step::Migration, [number("plimsoll.migration.attempts", self.sent)]);
    }

    fn applied(&mut self, name: &str) {
        self.applied.insert(name.to_owned());
        self.spans.describe(Step::Migration, [text(BECAME, "applied")]);
        self.end(Step::Migration);
    }

    /// Whoever applies it now counts it, be it this run.
    fn forgotten(&mut self, name: &str) {
        self.applied.remove(name);
        self.spans.correct(&of_migration(name), text(BECAME, "lost"));
    }

    fn end(&mut self, step: Step) {
        let waits = &mut self.waits;
        self.spans.end(step, |step, span| waits.add(step, length(span)));
    }

    pub(crate) fn ended(&mut self, outcome: Outcome<'_>, exit_code: Option<u8>) {
        if self.ended.is_some() {
            return;
        }
        let (word, why) = match outcome {
            Outcome::Done if self.applied.is_empty() => ("up_to_date", None),
            Outcome::Done => ("applied", None),
            Outcome::Failed(why) => ("failed", Some(why)),
            Outcome::Interrupted(why) => ("interrupted", Some(why)),
        };
        if let Some(why) = why {
            self.spans.describe(Step::Migration, [text(BECAME, word)]);
            self.spans.event("exception", attributes::exception(why));
            self.spans.fail(why.code);
        }
        let mut known =
            vec![text("plimsoll.outcome", word), number("plimsoll.migrations.applied", self.applied.len())];
        known.extend(exit_code.map(|code| number("process.exit.code", code)));
        known.extend(
            (self.spans.dropped() > 0).then(|| number("plimsoll.spans.dropped", self.spans.dropped())),
        );
        self.spans.describe(Step::Run, known);
        self.end(Step::Run);
        self.ended = Some((word, why.map(|why| why.code.as_str())));
    }

    /// What is to be sent. A run that nobody has ended ended well.
    pub(crate) fn finish(mut self) -> Finished {
        self.ended(Outcome::Done, None);
        let (outcome, error) = self.ended.unwrap_or(("failed", None));
        let measured = Measured {
            begun: self.clock.begun(),
            ended: self.clock.now(),
            command: self.command,
            outcome,
            error,
            database: self.database,
            waits: self.waits,
            applied: self.applied.len(),
        };
        let spans = if self.spans.is_sampled() { self.spans.into_closed() } else { Vec::new() };
        Finished { resource: self.resource, spans, measured }
    }
}

/// The name of a migration's span.
fn of_migration(name: &str) -> String {
    format!("apply {name}")
}

fn length(span: &Span) -> Duration {
    Duration::from_nanos(span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::Code;

    use super::*;

    fn recording(command: &'static str) -> Recording {
        let url = plimsoll_core::Secret::new("postgresql://ada:hunter2@db/shop");
        let url = DatabaseUrl::parse(plimsoll_core::Provider::Postgresql, &url, std::path::Path::new("/"));
        let mut recording = Recording::begin(Clock::start(), command, None, Resource::default(), None);
        recording.database(&url.unwrap());
        recording
    }

    /// The spans, each with the names of those around it, and whether it failed.
    fn tree(spans: &[Span]) -> Vec<String> {
        let path = |span: &Span| {
            let mut path = span.name.clone();
            let mut above = &span.parent_span_id;
            while let Some(parent) = spans.iter().find(|other| other.span_id == *above) {
                path = format!("{} > {path}", parent.name);
                above = &parent.parent_span_id;
            }
            if span.status.is_some() { format!("{path} !") } else { path }
        };
        spans.iter().map(path).collect()
    }

    fn seen(recording: &mut Recording, events: &[Event<'_>]) {
        for event in events {
            recording.see(event);
        }
    }

    fn apply(name: &str) -> [Event<'_>; 2] {
        [Event::Applying { name, number: 1, of: 2 }, Event::Sending { name }]
    }

    const TOOK: Duration = Duration::from_millis(1);

    #[test]
    fn what_happens_inside_of_something_is_inside_of_it() {
        let why = Diagnostic::new(Code::Unreachable, "refused");
        let mut run = recording("deploy");
        seen(
            &mut run,
            &[
                Event::Connecting { number: 1 },
                Event::Waiting { why: &why, at_most: TOOK },
                Event::NotConnected { why: &why, pause: TOOK },
                Event::Connecting { number: 2 },
                Event::Connected { after: TOOK },
                Event::Opened,
                Event::Ready,
                Event::Locking,
                Event::WaitingForLock { holder: None },
                Event::Locked,
            ],
        );
        seen(&mut run, &apply("1_a"));
        seen(
            &mut run,
            &[
                Event::Reconnecting { why: &why },
                Event::Connecting { number: 1 },
                Event::Opened,
                Event::Locking,
                Event::Locked,
                Event::Sending { name: "1_a" },
                Event::Applied { name: "1_a", took: TOOK },
            ],
        );
        seen(&mut run, &apply("2_b"));
        run.see(&Event::Applied { name: "2_b", took: TOOK });
        run.ended(Outcome::Done, Some(0));
        let finished = run.finish();
        assert_eq!(
            tree(&finished.spans),
            [
                "plimsoll deploy > connect > wait for the database",
                "plimsoll deploy > connect",
                "plimsoll deploy > lock",
                "plimsoll deploy > apply 1_a > connect",
                "plimsoll deploy > apply 1_a > lock",
                "plimsoll deploy > apply 1_a",
                "plimsoll deploy > apply 2_b",
                "plimsoll deploy",
            ]
        );
        assert_eq!((finished.measured.outcome, finished.measured.applied), ("applied", 2));
        assert!(!format!("{:?}", finished.spans).contains("hunter2"));
    }

    #[test]
    fn a_failure_is_that_of_everything_around_it_and_of_nothing_before_it() {
        let why = Diagnostic::new(Code::MigrationFailed, "Ada is there already");
        let mut run = recording("deploy");
        seen(&mut run, &apply("1_a"));
        run.see(&Event::Applied { name: "1_a", took: TOOK });
        seen(&mut run, &apply("2_b"));
        run.ended(Outcome::Failed(&why), Some(65));
        run.ended(Outcome::Done, Some(0));
        let finished = run.finish();
        let expected = ["plimsoll deploy > apply 1_a", "plimsoll deploy > apply 2_b !", "plimsoll deploy !"];
        assert_eq!(tree(&finished.spans), expected);
        assert_eq!((finished.measured.outcome, finished.measured.error), ("failed", Some("P3018")));
        let shown = format!("{:?}", finished.spans);
        assert!(!shown.contains("Ada") && shown.contains("exception.type"), "{shown}");
    }

    /// What became of each migration, try by try.
    fn outcomes(finished: &Finished) -> Vec<String> {
        let of = |span: &Span| {
            let value = span.attributes.iter().find(|it| it.key == BECAME)?.value.clone()?;
            Some(format!("{} {:?}", span.name, value.value?))
        };
        let shown = |line: String| line.replace("StringValue(\"", "").replace("\")", "");
        finished.spans.iter().filter_map(of).map(shown).collect()
    }

    #[test]
    fn a_migration_that_a_failover_has_lost_counts_if_it_is_applied_again() {
        let mut run = recording("deploy");
        seen(&mut run, &apply("1_a"));
        run.see(&Event::Applied { name: "1_a", took: TOOK });
        run.see(&Event::Forgotten { name: "1_a" });
        seen(&mut run, &apply("1_a"));
        run.see(&Event::Applied { name: "1_a", took: TOOK });
        run.ended(Outcome::Done, Some(0));
        let finished = run.finish();
        assert_eq!((finished.measured.outcome, finished.measured.applied), ("applied", 1));
        assert_eq!(outcomes(&finished), ["apply 1_a lost", "apply 1_a applied"]);
    }

    #[test]
    fn a_migration_that_a_failover_has_lost_is_not_applied() {
        let mut run = recording("deploy");
        for name in ["1_a", "2_b"] {
            seen(&mut run, &apply(name));
            run.see(&Event::Applied { name, took: TOOK });
        }
        run.see(&Event::Forgotten { name: "2_b" });
        run.ended(Outcome::Failed(&Diagnostic::new(Code::ConnectionLost, "gone")), Some(75));
        let finished = run.finish();
        assert_eq!(finished.measured.applied, 1);
        assert_eq!(outcomes(&finished), ["apply 1_a applied", "apply 2_b lost"]);

        let mut run = recording("deploy");
        seen(&mut run, &apply("1_a"));
        run.see(&Event::Applied { name: "1_a", took: TOOK });
        run.see(&Event::Forgotten { name: "1_a" });
        run.ended(Outcome::Done, Some(0));
        assert_eq!(run.finish().measured.outcome, "up_to_date");
    }

    #[test]
    fn who_blocks_is_told_of_by_number_and_name_and_without_a_statement() {
        let blocker = Blocker {
            connection: "4711".to_owned(),
            application: Some("billing".to_owned()),
            user: Some("ada".to_owned()),
            query: Some("`UPDATE ship SET name = 'Ark'`".to_owned()),
            ..Blocker::default()
        };
        let crowd = vec![blocker; 5];
        let mut run = recording("deploy");
        seen(&mut run, &apply("1_a"));
        run.see(&Event::Blocked { name: "1_a", blockers: &crowd });
        run.see(&Event::Applied { name: "1_a", took: TOOK });
        let finished = run.finish();
        let of_apply = finished.spans.iter().find(|span| span.name == "apply 1_a").expect("it is there");
        assert_eq!(of_apply.events.iter().filter(|event| event.name == "blocked").count(), 3);
        let shown = format!("{:?}", of_apply.events);
        for words in ["4711", "billing", "sure", "IntValue(5)"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(!shown.contains("Ark") && !shown.contains("ada"), "{shown}");
    }

    #[test]
    fn a_migration_that_another_runner_applied_is_not_ours() {
        let mut run = recording("deploy");
        seen(&mut run, &apply("1_a"));
        run.ended(Outcome::Done, Some(0));
        let finished = run.finish();
        assert_eq!((finished.measured.outcome, finished.measured.applied), ("up_to_date", 0));
        assert!(format!("{:?}", finished.spans[0]).contains("overtaken"));
    }

    #[test]
    fn each_look_of_a_wait_is_not_a_span() {
        let why = Diagnostic::new(Code::NotUpToDate, "pending");
        let mut run = recording("wait");
        seen(&mut run, &[Event::Connecting { number: 1 }, Event::Opened, Event::Ready]);
        seen(&mut run, &[Event::Waiting { why: &why, at_most: TOOK }]);
        for _ in 0..3 {
            seen(&mut run, &[Event::Connecting { number: 1 }, Event::Opened]);
        }
        run.ended(Outcome::Done, Some(0));
        let expected =
            ["plimsoll wait > connect", "plimsoll wait > wait for the migrations", "plimsoll wait"];
        assert_eq!(tree(&run.finish().spans), expected);
    }

    #[test]
    fn a_trace_that_is_not_kept_is_not_sent_and_its_metrics_are() {
        let parent = Parent {
            trace: [1; 16],
            span: [2; 8],
            sampled: crate::parent::Sampled::No,
            state: String::new(),
        };
        let run = Recording::begin(Clock::start(), "deploy", Some(parent), Resource::default(), None);
        let finished = run.finish();
        assert!(finished.spans.is_empty());
        assert_eq!(finished.measured.outcome, "up_to_date");
    }
}
