//! What the events of a run are called, and in which words they are told.

use std::time::Duration;

use plimsoll_core::Diagnostic;
use plimsoll_engine::{Blocker, Certainty, Event, Holder, Resent, describe_blockers, describe_holder};
use serde_json::{Value, json};

use super::log::{Level, Record};

/// An event as a record.
pub(super) fn record(event: &Event<'_>) -> Record {
    match event {
        Event::Connecting { number } => {
            debug("connecting", format!("connecting, try {number}")).with(json!({ "try": number }))
        }
        Event::NotConnected { why, pause } => {
            debug("not_connected", format!("no connection: {why}; next try in {}", milliseconds(*pause)))
                .with(json!({ "why": reason(why), "pause_ms": whole(*pause) }))
        }
        Event::Opened => debug("opened", "connected; reading the history"),
        Event::Ready => debug("ready", "the history has been read"),
        Event::Locking => debug("locking", "asking for the migration lock"),
        Event::Locked => debug("locked", "the migration lock is ours"),
        Event::Waiting { why, at_most } => {
            info("waiting", format!("waiting for up to {} s: {}", at_most.as_secs(), why.message))
                .with(json!({ "why": reason(why), "at_most_ms": whole(*at_most) }))
        }
        Event::Connected { after } => {
            info("connected", format!("the database answered after {:.1} s", after.as_secs_f64()))
                .with(json!({ "after_ms": whole(*after) }))
        }
        Event::DatabaseCreated => info("database_created", "created the database"),
        Event::WaitingForLock { holder } => waiting_for_lock(*holder),
        Event::Ahead { names, unfinished, at_most } => ahead(names, unfinished, *at_most),
        Event::Applying { name, number, of } => {
            debug("applying", format!("applying {name} ({number} of {of})"))
                .with(json!({ "migration": name, "number": number, "of": of }))
        }
        Event::Sending { name } => {
            debug("sending", format!("sending {name}")).with(json!({ "migration": name }))
        }
        Event::Applied { name, took } => {
            info("applied", format!("applied {name} in {}", milliseconds(*took)))
                .with(json!({ "migration": name, "took_ms": whole(*took) }))
        }
        Event::Forgotten { name } => info(
            "forgotten",
            format!("{name} is not in the history any more: a failover may have lost its commit"),
        )
        .with(json!({ "migration": name })),
        Event::Retrying { name, again, why } => {
            info("retrying", format!("{name} {}: {why}", sent_again(*again)))
                .with(json!({ "migration": name, "why": reason(why) }))
        }
        Event::Blocked { name, blockers } => blocked(name, blockers),
        Event::Reconnecting { why } => info("reconnecting", format!("connecting again: {}", why.message))
            .with(json!({ "why": reason(why) })),
        Event::Statement { name, number, of } => {
            debug("statement", format!("statement {number} of {of} of {name}"))
                .with(json!({ "migration": name, "number": number, "of": of }))
        }
        Event::Note(note) => info("note", format!("note: {note}")),
        // An engine that is newer than these words.
        other => debug("other", format!("{other:?}")),
    }
}

fn sent_again(what: Resent) -> &'static str {
    match what {
        Resent::Whole => "was rolled back and is tried again",
        Resent::Rest => "is tried again behind what is done of it",
    }
}

fn waiting_for_lock(holder: Option<&Holder>) -> Record {
    let Some(holder) = holder else {
        return info("waiting_for_lock", "waiting for another process, which holds the lock")
            .with(json!({ "holder": null }));
    };
    let words = format!("waiting for another runner, which holds the lock: {}", describe_holder(holder));
    info("waiting_for_lock", words).with(json!({ "holder": {
        "name": holder.application,
        "connection": holder.connection,
        "address": holder.address,
        "since": holder.since.map(|since| since.to_string()),
        "connected_ms": holder.connected_for.map(whole),
    } }))
}

fn ahead(names: &[String], unfinished: &[String], at_most: Duration) -> Record {
    let mut words = format!(
        "waiting for up to {} s: the database stands at migrations that this project does not have: {}",
        at_most.as_secs(),
        names.join(", ")
    );
    if !unfinished.is_empty() {
        words = format!("{words}; begun and not finished: {}", unfinished.join(", "));
    }
    info("ahead", words).with(json!({ "migrations": names, "at_most_ms": whole(at_most) }))
}

fn blocked(name: &str, blockers: &[Blocker]) -> Record {
    let who: Vec<Value> = blockers.iter().map(blocker).collect();
    info("blocked", format!("{name} waits for {}", describe_blockers(blockers)))
        .with(json!({ "migration": name, "blockers": who }))
}

fn blocker(blocker: &Blocker) -> Value {
    json!({
        "connection": blocker.connection,
        "sure": blocker.certainty == Certainty::Sure,
        "user": blocker.user,
        "name": blocker.application,
        "address": blocker.address,
        "state": blocker.state,
        "open_ms": blocker.open_for.map(whole),
        "statement": blocker.query,
    })
}

fn reason(why: &Diagnostic) -> Value {
    json!({ "code": why.code.as_str(), "message": why.message })
}

fn debug(event: &'static str, message: impl Into<String>) -> Record {
    Record::new(Level::Debug, event, message)
}

fn info(event: &'static str, message: impl Into<String>) -> Record {
    Record::new(Level::Info, event, message)
}

/// A duration as a number for machines.
pub(crate) fn whole(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// A duration in the unit that people compare.
pub(super) fn milliseconds(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}
