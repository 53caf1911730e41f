//! A script that cannot be one transaction: a started row first, then segment by segment, and with each of them the row says
//! how far the script has got.

use std::borrow::Cow;
use std::collections::VecDeque;

use plimsoll_core::history::{Attempt, Progress, Row};
use plimsoll_core::plan::WayOn;
use plimsoll_core::script::{Segment, Segmented, Way, postgres as script};
use plimsoll_core::{Code, Diagnostic, Migration};
use tokio_postgres::error::DbError;

use super::PostgresSession;
use super::apply::{TAKE_MARK, Work, cannot_be_atomic, ended_words, lock_guard, needs_other_way, still_ours};
use super::error::ENDED;
use super::failure::{Sent, script_failed};
use super::kept::kept;
use super::limits::{Again, Until};
use super::outside::{no_trace, outside};
use super::paused::{Paused, check_paused, take_again};
use super::started::{Started, as_ourselves, insert_started};
use crate::backend::{Tell, Told};
use crate::error::{Error, Kind, Result};

/// Applies a script segment by segment, from where an earlier attempt has got to.
pub(super) async fn segments(
    session: &mut PostgresSession,
    work: &Work<'_>,
    segmented: Segmented<'_>,
    resume: Option<&Row>,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let statements = script::texts(work.script.text());
    let paused = session.paused.take();
    let begun = begin(session, work, &statements, paused.clone(), resume).await;
    let (result, paused) = match begun {
        Ok(mut started) => {
            let result = carry_out(&mut started, segmented, tell).await;
            let paused = result.as_ref().err().and_then(|error| started.paused(error));
            (result, paused)
        }
        Err(error) => {
            let paused = paused.filter(|_| error.kind == Kind::Again);
            (Err(error), paused)
        }
    };
    session.paused = paused;
    match &result {
        Ok(()) => session.execute(&session.reset()).await?,
        // The run goes on in this session. If it cannot be cleared, whatever comes next fails for the same reason.
        Err(error) if error.kind == Kind::Overtaken => {
            let _seen_next = session.execute(&session.reset()).await;
        }
        Err(_) => {}
    }
    result
}

async fn carry_out<'a>(
    started: &mut Started<'a>,
    segmented: Segmented<'a>,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let segments = remaining(started.work, segmented, started.done)?;
    run(started, segments, tell).await
}

/// Takes up the attempt that this session has paused or another runner has left; otherwise begins one.
async fn begin<'a>(
    session: &'a PostgresSession,
    work: &'a Work<'a>,
    statements: &'a [Cow<'a, str>],
    paused: Option<Paused>,
    resume: Option<&Row>,
) -> Result<Started<'a>> {
    let started = |id, done, under_way| Started { session, work, statements, id, done, under_way };
    if let Some(paused) = paused.filter(|paused| paused.migration == work.migration.name()) {
        check_paused(session, &paused).await?;
        session.execute(&session.limit_again(work.script.text())).await?;
        return Ok(started(paused.id, paused.done, paused.under_way));
    }
    let limits = session.limits(Until::Reset, Again::Yes);
    let Some(row) = resume else {
        let logs = Progress::new(Attempt::Running, &session.runner).running_log();
        let id = insert_started(session, work, &logs, &limits).await?;
        return Ok(started(id, 0, None));
    };
    let Some(progress) = row.progress() else { return Err(Error::overtaken()) };
    let texts: Vec<&str> = statements.iter().map(AsRef::as_ref).collect();
    if !progress.done.begins(&texts) {
        return Err(Error::never(other_script(work.migration)));
    }
    let started = started(row.id.clone(), progress.done.count, progress.under_way);
    match carried(session, work.script.text(), started.done).await? {
        Ok(settings) => {
            session.execute(&limits).await?;
            for setting in settings {
                session.execute(setting).await?;
            }
            Ok(started)
        }
        Err(lost) => {
            let diagnostic = lost_with_session(&started, lost);
            Err(started.fail(Error::never(diagnostic), WayOn::ByHand).await)
        }
    }
}

/// The settings of the statements that are done, or what of theirs ended with their session.
async fn carried<'a>(
    session: &PostgresSession,
    text: &'a str,
    done: usize,
) -> Result<std::result::Result<Vec<&'a str>, script::Lost>> {
    match script::carried(text, done) {
        Ok(settings) => Ok(kept(session, text, done).await?.map_or(Ok(settings), Err)),
        lost => Ok(lost),
    }
}

/// The segments behind the statements that are done. One in whose middle that is was cut further by an earlier attempt.
fn remaining<'a>(work: &'a Work<'_>, segmented: Segmented<'a>, done: usize) -> Result<VecDeque<Segment<'a>>> {
    let cut = |segment: Segment<'a>| {
        let begun = segment.statements.start < done && done < segment.statements.end;
        if begun { script::divided(work.script.text(), &segment) } else { vec![segment] }
    };
    let segments: VecDeque<_> = segmented
        .segments
        .into_iter()
        .flat_map(cut)
        .filter(|segment| segment.statements.end > done)
        .collect();
    match segments.front() {
        Some(first) if first.statements.start != done => Err(Error::never(other_script(work.migration))),
        _ => Ok(segments),
    }
}

async fn run<'a>(
    started: &mut Started<'a>,
    mut segments: VecDeque<Segment<'a>>,
    tell: &mut Tell<'_>,
) -> Result<()> {
    while let Some(mut segment) = segments.pop_front() {
        if started.under_way.is_some() && segment.way == Way::Together {
            // The server had refused to run its first statement in a transaction, and it was sent outside of one.
            let text = started.work.script.text();
            script::divided(text, &segment)
                .into_iter()
                .skip(1)
                .rev()
                .for_each(|part| segments.push_front(part));
            segment = script::outside(text, segment.statements.start);
        }
        tell(Told::Statement { number: segment.statements.start + 1, of: started.statements.len() });
        if let Way::Outside(effect) = &segment.way {
            outside(started, &segment, effect, tell).await?;
            take_again_if_freed(started.session, &segment).await?;
            continue;
        }
        if let Err(found) = together(started, &segment).await? {
            for part in other_ways(started, &segment, &found, tell).await?.into_iter().rev() {
                segments.push_front(part);
            }
        }
    }
    Ok(())
}

/// `DISCARD ALL` frees the locks of its session.
async fn take_again_if_freed(session: &PostgresSession, segment: &Segment<'_>) -> Result<()> {
    let word = segment.body.split_whitespace().next().unwrap_or_default();
    if word.eq_ignore_ascii_case("discard") { take_again(session).await } else { Ok(()) }
}

/// What to do with a segment that the server does not take as one transaction.
async fn other_ways<'a>(
    started: &Started<'a>,
    segment: &Segment<'a>,
    found: &DbError,
    tell: &mut Tell<'_>,
) -> Result<Vec<Segment<'a>>> {
    let text = started.work.script.text();
    let parts = match segment.way {
        Way::Together if segment.statements.len() == 1 => {
            vec![script::outside(text, segment.statements.start)]
        }
        Way::Together => script::divided(text, segment),
        _ => {
            let error = cannot_be_atomic(started.migration(), found);
            return Err(settle(started, error).await);
        }
    };
    let how = if parts.len() == 1 { "outside of a transaction" } else { "statement by statement" };
    tell(Told::Note(&format!(
        "a part of `{}` cannot be one transaction ({}): it is run {how}",
        started.migration().name(),
        found.message()
    )));
    Ok(parts)
}

/// Runs a segment as one transaction, which moves the row on as well: both or neither. The inner error is that of a
/// server that does not take it as one.
async fn together(
    started: &mut Started<'_>,
    segment: &Segment<'_>,
) -> Result<std::result::Result<(), Box<DbError>>> {
    let session = started.session;
    // `SET TRANSACTION` has to come before any query: there the guard follows.
    let (before, after) = if segment.sets_transaction {
        ("BEGIN;\n".to_owned(), lock_guard())
    } else {
        (format!("BEGIN;{}{TAKE_MARK}\n", lock_guard()), still_ours())
    };
    let own = as_ourselves(started.work.script.text());
    let moves = started.moves_to(segment.statements.end);
    // Deferred triggers run here and not at the end, where the settings are not those of the script any more.
    let message =
        format!("{before}{}\n;SET CONSTRAINTS ALL IMMEDIATE;{after}{own}{moves}COMMIT", segment.body);
    let Err(failure) = session.client.batch_execute(&message).await else {
        (started.done, started.under_way) = (segment.statements.end, None);
        return Ok(Ok(()));
    };
    // The transaction is still open, and failed. If the connection is gone, so is the transaction.
    let _gone = session.client.batch_execute("ROLLBACK").await;
    let Some(found) = failure.as_db_error() else { return Err(session.error(&failure)) };
    if needs_other_way(found) {
        return Ok(Err(Box::new(found.clone())));
    }
    if found.message().contains(ENDED) {
        return Err(started.fail(Error::never(ended_words(started.migration())), WayOn::ByHand).await);
    }
    let characters_before = before.chars().count();
    let statement = (segment.statements.len() == 1).then(|| segment.span.clone());
    let sent = Sent { text: &segment.body, starts_at: segment.span.start, characters_before, statement };
    let error = script_failed(session, started.migration(), &sent, &failure, found);
    Err(if error.kind == Kind::Script { settle(started, error).await } else { error })
}

/// Records a failure that will not pass. What failed has been rolled back.
async fn settle(started: &Started<'_>, error: Error) -> Error {
    if started.done == 0 {
        no_trace(started, error).await
    } else {
        started.fail(error, started.resume()).await
    }
}

fn other_script(migration: &Migration) -> Diagnostic {
    let message = format!(
        "an attempt at migration `{}` has been begun with another script, or by another version of Plimsoll: its \
         statements that are done are not those of this one",
        migration.name()
    );
    Diagnostic::new(Code::StepUnclear, message)
        .help("nothing was done now; deploy the script that was begun, and it is carried on")
        .helps(WayOn::ByHand.on(migration.name()))
}

fn lost_with_session(started: &Started<'_>, lost: script::Lost) -> Diagnostic {
    let migration = started.migration();
    // In the message and not beside it: the next start shows what is stored of it.
    let open = match started.under_way {
        Some(_) => format!(
            "; its statement {} was under way when its runner died, and may have taken effect",
            started.done + 1
        ),
        None => String::new(),
    };
    let message = format!(
        "migration `{}` cannot be carried on: the rest of it may need {}, which ended with the connection that made it{open}",
        migration.name(),
        lost.what
    );
    let diagnostic = Diagnostic::new(Code::StepUnclear, message);
    match migration.place(lost.span) {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    }
}
