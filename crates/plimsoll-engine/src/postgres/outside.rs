//! One statement that runs outside of any transaction.
//!
//! Before it, the row says that it is about to be sent and what the database looks like; whoever finds such a row asks the
//! catalog whether the statement took effect. So it is run exactly once, wherever its runner dies.

use plimsoll_core::history::UnderWay;
use plimsoll_core::plan::WayOn;
use plimsoll_core::script::{Effect, Segment};
use plimsoll_core::{Code, Diagnostic};
use tokio_postgres::error::SqlState;

use super::PostgresSession;
use super::failure::{Sent, script_failed};
use super::leftovers::{being_built, drop_leftovers};
use super::likeness::only_its_own;
use super::look::{Facts, Outcome, is_half_detached, is_invalid, look, outcome};
use super::started::{Started, give_up};
use super::waiters::let_go;
use crate::backend::{Tell, Told};
use crate::blockers::first_words;
use crate::error::{Error, Kind, Result};

/// Runs the statement, unless it turns out that it took effect before its runner died.
pub(super) async fn outside(
    started: &mut Started<'_>,
    segment: &Segment<'_>,
    effect: &Effect,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let session = started.session;
    let before = started.under_way.clone().map(|under_way| under_way.before);
    let (limits, limits_again) = session.without_default(started.work.script.text(), effect);
    // What an earlier attempt left is dropped in the same way.
    session.execute(&limits).await?;
    drop_leftovers(session, segment, effect, before.as_ref(), tell).await?;
    let now = look(session, effect).await?;
    let became = match &before {
        Some(before) => Some(became(session, segment, effect, before, &now).await?),
        None => None,
    };
    match became {
        Some(Outcome::TookEffect) => {
            tell(Told::Note(&format!(
                "`{}`: {} had taken effect when its runner died: it is recorded",
                started.migration().name(),
                shown(&segment.body)
            )));
            return started.end(segment.statements.end, &limits_again).await;
        }
        Some(Outcome::Unknown) => return Err(nobody_knows(started, segment).await),
        Some(Outcome::RunIt) | None => {}
    }
    started.begin(UnderWay { before: now.clone() }).await?;
    let statement = statement(segment, effect, &now, tell);
    match session.client.batch_execute(&statement).await {
        Ok(()) => {
            is_usable(started, effect).await?;
            started.end(segment.statements.end, &limits_again).await
        }
        Err(failure) => Err(failed(started, segment, effect, &now, &failure, tell).await),
    }
}

/// Whether a statement took effect that an earlier runner may have sent.
pub(super) async fn became(
    session: &PostgresSession,
    segment: &Segment<'_>,
    effect: &Effect,
    before: &Facts,
    now: &Facts,
) -> Result<Outcome> {
    let own = only_its_own(session, segment, effect, before, now).await?;
    Ok(own.map_or(Outcome::Unknown, |now| outcome(effect, before, &now)))
}

/// Looks again behind a build: `IF NOT EXISTS` is content with an invalid index that somebody has begun to build meanwhile.
async fn is_usable(started: &Started<'_>, effect: &Effect) -> Result<()> {
    match effect {
        Effect::BuildsIndex { name: Some(name), .. } if is_invalid(&look(started.session, effect).await?) => {
            Err(being_built(name))
        }
        _ => Ok(()),
    }
}

/// The statement, or the one that completes what an interrupted one began.
fn statement(segment: &Segment<'_>, effect: &Effect, now: &Facts, tell: &mut Tell<'_>) -> String {
    match effect {
        Effect::Detaches { table, partition } if is_half_detached(now) => {
            tell(Told::Note(&format!(
                "`{partition}` was half detached by an earlier attempt: it is detached with FINALIZE"
            )));
            format!("ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE")
        }
        _ => segment.body.clone().into_owned(),
    }
}

/// Cleans up behind a statement that failed, and says what comes next.
async fn failed(
    started: &mut Started<'_>,
    segment: &Segment<'_>,
    effect: &Effect,
    before: &Facts,
    failure: &tokio_postgres::Error,
    tell: &mut Tell<'_>,
) -> Error {
    let session = started.session;
    let Some(found) = failure.as_db_error() else { return session.error(failure) };
    let sent = Sent {
        text: &segment.body,
        starts_at: segment.span.start,
        characters_before: 0,
        statement: Some(segment.span.clone()),
    };
    let error = script_failed(session, started.migration(), &sent, failure, found);
    match error.kind {
        // Part of it may be committed: neither another try nor another start may send it again.
        Kind::Again | Kind::Script | Kind::Cancelled if *effect == Effect::Unknown => {
            started.under_way = None;
            started.fail_in_part(error).await
        }
        Kind::Again => {
            // If it cannot be cleaned up now, the next try does so first.
            let _later = drop_leftovers(session, segment, effect, Some(before), tell).await;
            if *found.code() == SqlState::T_R_DEADLOCK_DETECTED {
                let_go(session, tell).await;
            }
            error
        }
        Kind::Cancelled if matches!(effect, Effect::BuildsIndex { .. } | Effect::Reindexes { .. }) => {
            let left = "the invalid index that it may have left is dropped when the statement is tried again";
            Error { diagnostic: Box::new(error.diagnostic.help(left)), ..error }
        }
        Kind::Script if started.done == 0 => {
            match drop_leftovers(session, segment, effect, Some(before), tell).await {
                Ok(()) => no_trace(started, error).await,
                Err(_left) => started.fail(error, started.resume()).await,
            }
        }
        Kind::Script => {
            if drop_leftovers(session, segment, effect, Some(before), tell).await.is_ok() {
                started.under_way = None;
            }
            started.fail(error, started.resume()).await
        }
        _ => error,
    }
}

/// The first statement failed and left nothing: the attempt does not count, and the next start tries again.
pub(super) async fn no_trace(started: &Started<'_>, error: Error) -> Error {
    let session = started.session;
    let recorded = async {
        session.execute(&session.reset()).await?;
        give_up(session, &started.id, started.migration(), &error.diagnostic).await
    };
    match recorded.await {
        Ok(()) => Error { kind: Kind::Never, ..error },
        Err(unrecorded) => unrecorded,
    }
}

async fn nobody_knows(started: &mut Started<'_>, segment: &Segment<'_>) -> Error {
    let migration = started.migration();
    let message = format!(
        "the runner of migration `{}` died while a statement was under way, and nobody can say whether it took effect",
        migration.name()
    );
    let diagnostic = Diagnostic::new(Code::StepUnclear, message);
    let diagnostic = match migration.place(segment.span.clone()) {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    };
    // Whoever has it carried on has looked, and wants it to be run.
    started.under_way = None;
    started.fail(Error::never(diagnostic), WayOn::SendAgain(started.done + 1)).await
}

/// A statement as a line of a log shows it.
fn shown(statement: &str) -> String {
    first_words(statement, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_cut_off_before_its_end_is_not_shown() {
        let statement = "CREATE SUBSCRIPTION fleet CONNECTION 'postgresql://u:hunter2-and-a-long-one@host/db' PUBLICATION p;";
        let shown = shown(statement);
        assert!(shown.starts_with("`CREATE SUBSCRIPTION fleet CONNECTION 'postgresql://u:*"), "{shown}");
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
