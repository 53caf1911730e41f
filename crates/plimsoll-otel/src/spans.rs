//! The spans of a trace, of which those that are open lie inside of each other.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use plimsoll_core::Code;

use crate::attributes::text;
use crate::clock::Clock;
use crate::parent::{Parent, Sampled};

/// How many spans a trace may have. A collector takes 20 MiB at once unless it is told otherwise, and one has some 500 bytes.
const MOST_SPANS: usize = 10_000;
/// How many events a span may have, by OpenTelemetry's specification.
const MOST_EVENTS: usize = 128;

/// W3C's flag of a trace that is kept.
const SAMPLED: u32 = 1;
/// It is known whether the parent is of another process.
const HAS_REMOTE: u32 = 0x100;
/// It is.
const IS_REMOTE: u32 = 0x200;

/// What a span is about: at most one of each is open at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The whole run.
    Run,
    /// One migration, from its first sending to its commit.
    Migration,
    /// A connection, until the server has let us in.
    Connect,
    /// The wait for a database that does not answer yet.
    Wait,
    /// The wait of `wait` for another runner's migrations.
    Await,
    /// Asking for the migration lock.
    Lock,
    /// The wait for a database that is ahead.
    Ahead,
}

/// A trace that is being made.
#[derive(Debug)]
pub(crate) struct Spans {
    clock: Clock,
    trace: [u8; 16],
    parent: Option<Parent>,
    open: Vec<(Step, Span)>,
    closed: Vec<Span>,
    dropped: usize,
}

impl Spans {
    /// An empty trace, or what this process adds to its parent's.
    pub(crate) fn new(clock: Clock, parent: Option<Parent>) -> Self {
        let trace = parent.as_ref().map_or_else(|| uuid::Uuid::new_v4().into_bytes(), |parent| parent.trace);
        Self { clock, trace, parent, open: Vec::new(), closed: Vec::new(), dropped: 0 }
    }

    /// Whether the trace is kept.
    pub(crate) fn is_sampled(&self) -> bool {
        self.parent.as_ref().is_none_or(|parent| parent.sampled == Sampled::Yes)
    }

    /// Opens a span inside of the one that was opened last.
    pub(crate) fn begin(&mut self, step: Step, name: impl Into<String>, attributes: Vec<KeyValue>) {
        if self.open.len() + self.closed.len() >= MOST_SPANS {
            self.dropped += 1;
            return;
        }
        let (parent, flags) = match (self.open.last(), &self.parent) {
            (Some((_, above)), _) => (above.span_id.clone(), SAMPLED | HAS_REMOTE),
            (None, Some(parent)) => (parent.span.to_vec(), SAMPLED | HAS_REMOTE | IS_REMOTE),
            (None, None) => (Vec::new(), SAMPLED | HAS_REMOTE),
        };
        let kind = match step {
            Step::Run | Step::Wait | Step::Await | Step::Ahead => SpanKind::Internal,
            Step::Migration | Step::Connect | Step::Lock => SpanKind::Client,
        };
        let span = Span {
            trace_id: self.trace.to_vec(),
            span_id: fastrand::u64(1..).to_be_bytes().to_vec(),
            trace_state: self.parent.as_ref().map_or_else(String::new, |parent| parent.state.clone()),
            parent_span_id: parent,
            flags,
            name: name.into(),
            kind: kind.into(),
            start_time_unix_nano: self.clock.now(),
            attributes,
            ..Span::default()
        };
        self.open.push((step, span));
    }

    /// Whether there is an open span about this.
    pub(crate) fn is_open(&self, step: Step) -> bool {
        self.open.iter().any(|(open, _)| *open == step)
    }

    /// Closes the span about this, and those inside of it; `seen` gets each of them. Nothing happens if there is none.
    pub(crate) fn end(&mut self, step: Step, mut seen: impl FnMut(Step, &Span)) {
        let Some(from) = self.open.iter().position(|(open, _)| *open == step) else { return };
        let now = self.clock.now();
        for (step, mut span) in self.open.drain(from..).rev() {
            span.end_time_unix_nano = now;
            seen(step, &span);
            self.closed.push(span);
        }
    }

    /// Adds attributes to the open span about this.
    pub(crate) fn describe(&mut self, step: Step, attributes: impl IntoIterator<Item = KeyValue>) {
        if let Some((_, span)) = self.open.iter_mut().find(|(open, _)| *open == step) {
            for attribute in attributes {
                describe(span, attribute);
            }
        }
    }

    /// The same for the last closed span of this name: what it said has turned out to be otherwise.
    pub(crate) fn correct(&mut self, name: &str, attribute: KeyValue) {
        if let Some(span) = self.closed.iter_mut().rfind(|span| span.name == name) {
            describe(span, attribute);
        }
    }

    /// Something happened in the span that was opened last.
    pub(crate) fn event(&mut self, name: &str, attributes: Vec<KeyValue>) {
        let now = self.clock.now();
        let Some((_, span)) = self.open.last_mut() else { return };
        if span.events.len() >= MOST_EVENTS {
            span.dropped_events_count += 1;
            return;
        }
        span.events.push(Event {
            time_unix_nano: now,
            name: name.to_owned(),
            attributes,
            ..Event::default()
        });
    }

    /// Everything that is open has failed, with this code.
    pub(crate) fn fail(&mut self, code: Code) {
        for (_, span) in &mut self.open {
            let message = format!("{code}: {}", code.title());
            span.status = Some(Status { message, code: StatusCode::Error.into() });
            span.attributes.push(text("error.type", code.as_str()));
        }
    }

    /// How many spans there was no room for.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    /// The spans that are closed.
    pub(crate) fn into_closed(self) -> Vec<Span> {
        self.closed
    }
}

fn describe(span: &mut Span, attribute: KeyValue) {
    span.attributes.retain(|known| known.key != attribute.key);
    span.attributes.push(attribute);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_ends_with_what_is_around_it() {
        let mut spans = Spans::new(Clock::start(), None);
        spans.begin(Step::Run, "run", Vec::new());
        spans.begin(Step::Connect, "connect", Vec::new());
        spans.begin(Step::Wait, "wait", Vec::new());
        let mut ended = Vec::new();
        spans.end(Step::Connect, |step, _| ended.push(step));
        spans.end(Step::Lock, |step, _| ended.push(step));
        assert_eq!(ended, [Step::Wait, Step::Connect]);
        assert!(spans.is_open(Step::Run) && !spans.is_open(Step::Wait));
        spans.end(Step::Run, |_, _| ());
        let [wait, connect, run] = <[Span; 3]>::try_from(spans.into_closed()).unwrap();
        assert_eq!((&wait.parent_span_id, &connect.parent_span_id), (&connect.span_id, &run.span_id));
        assert!(run.parent_span_id.is_empty() && run.trace_id == wait.trace_id && run.trace_id.len() == 16);
        assert!(run.start_time_unix_nano <= wait.start_time_unix_nano);
        assert!(wait.end_time_unix_nano <= run.end_time_unix_nano);
    }

    #[test]
    fn a_trace_does_not_grow_for_ever() {
        let mut spans = Spans::new(Clock::start(), None);
        spans.begin(Step::Run, "run", Vec::new());
        for _ in 0..2 * MOST_EVENTS {
            spans.event("again", Vec::new());
        }
        for _ in 0..MOST_SPANS {
            spans.begin(Step::Connect, "connect", Vec::new());
            spans.end(Step::Connect, |_, _| ());
        }
        assert_eq!(spans.dropped(), 1);
        spans.end(Step::Run, |_, _| ());
        let closed = spans.into_closed();
        assert_eq!(closed.len(), MOST_SPANS);
        let run = closed.last().unwrap();
        assert_eq!((run.events.len(), run.dropped_events_count), (MOST_EVENTS, 128));
    }
}
