//! The time limits of migrations, as settings of the server.
//!
//! They travel with what they are for, and end with it: the history is read and written without them, `RESET ALL` behind a
//! script takes nothing away that the next one had, and no message is sent for them alone.

use plimsoll_core::Migration;
use plimsoll_core::script::Effect;
use tokio_postgres::error::{DbError, SqlState};

use super::PostgresSession;
use crate::limits::{milliseconds, shown};

/// How long a limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// To the end of the transaction.
    Commit,
    /// Until the session is reset: a script that is run in parts.
    Reset,
}

/// Whether what has waited for a lock in vain can be tried again without anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

impl PostgresSession {
    /// Statements that set the limits: the lock's before all, which is sent first of a transaction and is no query, so that
    /// `SET TRANSACTION` may still follow.
    ///
    /// The default is for what can be tried again alone: of anything else a lock that comes late is worth waiting for, since a
    /// person has to look at a failure.
    pub(super) fn limits(&self, until: Until, again: Again) -> String {
        let lock = match self.limits.lock {
            Some(given) => Some(milliseconds(given)),
            None => self
                .default_is_in_force()
                .then(|| self.default_lock_timeout())
                .filter(|_| again == Again::Yes),
        };
        let lock = lock.map(|lock| set(until, "lock_timeout", lock));
        let statement =
            self.limits.statement.map(|limit| set(until, "statement_timeout", milliseconds(limit)));
        lock.into_iter().chain(statement).collect()
    }

    /// What is set before and behind one statement outside of any transaction for which the default is not meant.
    ///
    /// It is not meant for what builds or drops an index concurrently: that waits for all transactions that are older than it,
    /// and meanwhile nobody who reads or writes waits for it; to begin anew would only cost what has been built. Nor is it for
    /// what nobody could send again. Where the script speaks of the limit itself, nothing is touched.
    pub(super) fn without_default(&self, script: &str, effect: &Effect) -> (String, String) {
        let is_exempt = matches!(
            effect,
            Effect::BuildsIndex { .. }
                | Effect::DropsIndex { .. }
                | Effect::Reindexes { .. }
                | Effect::Unknown
        );
        if !is_exempt || !self.default_is_for(script) {
            return (String::new(), String::new());
        }
        (set(Until::Reset, "lock_timeout", 0), self.limit_again(script))
    }

    /// The limit for locks of the next statement of a script in parts: that of the try before it may have been another.
    pub(super) fn limit_again(&self, script: &str) -> String {
        if !self.default_is_for(script) {
            return String::new();
        }
        set(Until::Reset, "lock_timeout", self.default_lock_timeout())
    }

    /// Whether the default is what a script has: neither it nor anybody else says what.
    fn default_is_for(&self, script: &str) -> bool {
        let is_ours = self.limits.lock.is_none() && self.default_is_in_force();
        is_ours && !script.to_ascii_lowercase().contains("lock_timeout")
    }

    /// What is said of an error that comes of the limit for locks, unless the script has set one: nobody would look for it.
    ///
    /// `NOWAIT` has the same code. The routine is in no language; all that ends a wait from outside is reported by this one.
    pub(super) fn ended_by_limit(&self, migration: &Migration, found: &DbError) -> Option<String> {
        let is_timeout =
            *found.code() == SqlState::LOCK_NOT_AVAILABLE && found.routine() == Some("ProcessInterrupts");
        let sets = |text: &str| text.to_ascii_lowercase().contains("lock_timeout");
        if !is_timeout || migration.script().is_ok_and(|script| sets(script.text())) {
            return None;
        }
        let own = if self.default_is_in_force() {
            format!("the default of `--lock-timeout` ({})", shown(self.limits.by_default))
        } else {
            "`lock_timeout` (of the role, the database, the server or the URL)".to_owned()
        };
        Some(self.limits.of_lock(&own))
    }

    /// Somebody's own limit, of the role, the database, the server or the URL, is kept.
    fn default_is_in_force(&self) -> bool {
        !self.facts.has_lock_timeout
    }

    fn default_lock_timeout(&self) -> i32 {
        milliseconds(self.limits.by_default)
    }
}

fn set(until: Until, name: &str, milliseconds: i32) -> String {
    let local = match until {
        Until::Commit => "LOCAL ",
        Until::Reset => "",
    };
    format!("SET {local}{name} = {milliseconds};")
}
