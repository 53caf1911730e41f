//! A script that stopped in the middle for a reason that passes: the same run goes on with it in the same session, which keeps
//! what the script has made of it.

use plimsoll_core::history::UnderWay;
use plimsoll_core::script::{Way, postgres as script};
use plimsoll_core::{Code, Diagnostic, Migration};

use super::apply::Work;
use super::leftovers::drop_leftovers;
use super::look::{Outcome, look};
use super::outside::became;
use super::started::{Started, give_up};
use super::waiters::is_ours;
use super::{PostgresSession, history, quote_text};
use crate::backend::Lock;
use crate::error::{Error, Kind, Result};

/// What the next try of the same run has to know: the session keeps what the script has made of it.
#[derive(Clone, Debug)]
pub(super) struct Paused {
    /// The migration's name.
    pub(super) migration: String,
    /// The id of its row.
    pub(super) id: String,
    pub(super) done: usize,
    pub(super) under_way: Option<UnderWay>,
    pub(super) why: Why,
}

/// Why a script was left in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// A lock could not be had: it is tried again.
    Blocked,
    /// Its statement was cancelled: by us, or by a time limit.
    Cancelled,
}

impl Started<'_> {
    /// What is to be remembered of it, if the same run may go on with it after this error.
    pub(super) fn paused(&self, error: &Error) -> Option<Paused> {
        let why = match error.kind {
            Kind::Again => Why::Blocked,
            Kind::Cancelled => Why::Cancelled,
            _ => return None,
        };
        let (migration, id) = (self.migration().name().to_owned(), self.id.clone());
        Some(Paused { migration, id, done: self.done, under_way: self.under_way.clone(), why })
    }
}

/// Takes the lock again if it was let go, and looks whether the attempt is still where it was left.
pub(super) async fn check_paused(session: &PostgresSession, paused: &Paused) -> Result<()> {
    take_again(session).await?;
    let rows = session
        .rows(&format!(
            "SELECT 1 FROM {} WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL \
             AND applied_steps_count = {}",
            session.history_table(),
            quote_text(&paused.id),
            paused.done
        ))
        .await?;
    if rows.is_empty() { Err(Error::overtaken()) } else { Ok(()) }
}

/// Takes the lock again, if it was let go: it is not waited for here.
pub(super) async fn take_again(session: &PostgresSession) -> Result<()> {
    if is_ours(session).await? {
        return Ok(());
    }
    match history::try_lock(session, "").await? {
        Lock::Taken => Ok(()),
        Lock::Held => Err(Error::new(
            Kind::Again,
            Diagnostic::new(Code::MigrationBlocked, "another runner holds the migration lock for the moment"),
        )),
    }
}

/// Settles an attempt that this run does not try again: blocked for too long, or cancelled by somebody else.
pub(super) async fn give_up_paused(
    session: &PostgresSession,
    paused: &Paused,
    migration: &Migration,
    failure: &Diagnostic,
) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    // Before the reset: names are found under the settings of the script.
    let left = clean_up(session, paused, script.text()).await;
    session.execute(&session.reset()).await?;
    let (statements, work) = (script::texts(script.text()), Work { migration, script, id: &paused.id });
    if matches!(left, Ok(Left::MayBeDone)) {
        return Ok(());
    }
    match (paused.done, paused.why) {
        // What the statement left is still there, and the row alone tells it from the rest: the next start carries on with it.
        (0, _) if left.is_err() => Ok(()),
        (0, _) => give_up(session, &paused.id, migration, failure).await,
        // What is done stays done, and the next start carries on.
        (_, Why::Blocked) => Ok(()),
        (done, Why::Cancelled) => {
            let under_way = paused.under_way.clone().filter(|_| left.is_err());
            let id = paused.id.clone();
            let started = Started { session, work: &work, statements: &statements, id, done, under_way };
            let _told = started.fail(Error::never(failure.clone()), started.resume()).await;
            Ok(())
        }
    }
}

/// What there is of a statement outside of any transaction whose end nobody has recorded.
enum Left {
    Nothing,
    /// It may have taken effect, and only its row could not be written: the next start looks, and records it.
    MayBeDone,
}

/// Drops what such a statement left when it was cut short, and looks whether it was.
async fn clean_up(session: &PostgresSession, paused: &Paused, text: &str) -> Result<Left> {
    let Some(under_way) = &paused.under_way else { return Ok(Left::Nothing) };
    let segment = script::outside(text, paused.done);
    let Way::Outside(effect) = &segment.way else { return Ok(Left::Nothing) };
    let before = &under_way.before;
    drop_leftovers(session, &segment, effect, Some(before), &mut |_| {}).await?;
    let now = look(session, effect).await?;
    Ok(match became(session, &segment, effect, before, &now).await? {
        Outcome::RunIt => Left::Nothing,
        Outcome::TookEffect | Outcome::Unknown => Left::MayBeDone,
    })
}
