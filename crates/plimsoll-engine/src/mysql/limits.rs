//! The time limits of migrations: those for locks as settings of the session, that for a statement by our own clock, since
//! `max_execution_time` is for `SELECT` alone.

use std::time::Duration;

use plimsoll_core::Script;

use super::apply::Work;
use super::ending::needs_whole_table;
use super::error::LOCK_WAIT_TIMEOUT;
use super::{MysqlSession, error};
use crate::error::Result;
use crate::limits::{Limits, shown};

/// How long one message may take, and who says so.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub(super) length: Duration,
    pub(super) of: String,
}

impl Limit {
    /// What the URL says of every message.
    pub(super) fn of_url(seconds: u32) -> Self {
        Self { length: Duration::from_secs(seconds.into()), of: "`socket_timeout` of the URL".to_owned() }
    }

    /// What is said of a statement that took longer.
    pub(super) fn exceeded(&self) -> mysql_async::Error {
        error::limited(&self.of)
    }
}

/// The longest that both variables can hold, on both servers: a year.
const WITHOUT_END: u64 = 31_536_000;

/// What a server that nobody has configured waits for the lock of a table: MySQL, MariaDB.
const UNCONFIGURED: &str = "31536000, 86400";

/// The same for the lock of a row, on both.
const UNCONFIGURED_ROWS: &str = "50";

/// The limits for locks, in seconds, that a session begins with and the server at large does not have: somebody has set them for
/// those who log in like us.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnLimits {
    /// `lock_wait_timeout`.
    pub(super) tables: Option<u64>,
    /// `innodb_lock_wait_timeout`.
    pub(super) rows: Option<u64>,
}

/// The statement that sets both to as little as they can be, for what is tried again from outside.
pub(super) const SHORT_WAITS: &str =
    "SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 1";

/// The statement that sets how long a migration waits for the lock of a table (`lock_wait_timeout`), and for that of a row.
///
/// Whoever wants the table waits behind a definition that waits for it. What is set on the server, or for the session, is kept,
/// unless somebody has given another limit to this run.
pub(super) fn lock_timeouts(limits: Limits, own: OwnLimits) -> String {
    let text = |seconds: u64| seconds.to_string();
    let (tables, rows) = match limits.lock {
        Some(given) => (text(seconds(given)), text(seconds(given))),
        None => (
            own.tables.map_or_else(|| unless_set("lock_wait_timeout", UNCONFIGURED, limits), text),
            own.rows.map_or_else(|| unless_set("innodb_lock_wait_timeout", UNCONFIGURED_ROWS, limits), text),
        ),
    };
    setting(&tables, &rows)
}

/// The same where no flag counts: for the history.
pub(super) fn by_default(own: OwnLimits) -> String {
    lock_timeouts(Limits::default(), own)
}

/// The same as it is where nothing of ours is meant.
fn without_ours(own: OwnLimits) -> String {
    let text = |seconds: u64| seconds.to_string();
    let tables = own.tables.map_or_else(|| "@@GLOBAL.lock_wait_timeout".to_owned(), text);
    let rows = own.rows.map_or_else(|| "@@GLOBAL.innodb_lock_wait_timeout".to_owned(), text);
    setting(&tables, &rows)
}

fn setting(tables: &str, rows: &str) -> String {
    format!("SET SESSION lock_wait_timeout = {tables}, SESSION innodb_lock_wait_timeout = {rows}")
}

/// The server's own value, or ours where nobody has set another one than the built-in.
fn unless_set(name: &str, built_in: &str, limits: Limits) -> String {
    let ours = seconds(limits.by_default);
    format!("CAST(IF(@@GLOBAL.{name} IN ({built_in}), {ours}, @@GLOBAL.{name}) AS UNSIGNED)")
}

/// Whole seconds, as the variables have them: what is shorter than one is one.
fn seconds(limit: Duration) -> u64 {
    if limit.is_zero() {
        WITHOUT_END
    } else {
        limit.as_millis().div_ceil(1000).try_into().unwrap_or(WITHOUT_END)
    }
}

/// Whether a script sets a limit for locks by itself. The one name is a part of the other.
fn names_a_limit(script: &Script) -> bool {
    script.text().to_ascii_lowercase().contains("lock_wait_timeout")
}

impl MysqlSession {
    /// Sets the limits for locks that this try has, if those of the session are others. Where the script speaks of them itself, what
    /// an earlier try has left of them is not touched.
    pub(super) async fn set_lock_timeouts(&mut self, script: &Script) -> Result<()> {
        // Only what nobody has given grows from try to try.
        let is_grown = self.limits.lock == self.limits_set.lock;
        if self.limits == self.limits_set || (is_grown && names_a_limit(script)) {
            return Ok(());
        }
        self.execute(&lock_timeouts(self.limits, self.facts.own)).await?;
        self.limits_set = self.limits;
        Ok(())
    }

    /// How long a statement of a script may take.
    pub(super) fn statement_limit(&self) -> Option<Limit> {
        match self.limits.statement {
            None => self.limit.clone(),
            Some(Duration::ZERO) => None,
            Some(length) => Some(Limit { length, of: format!("`--statement-timeout` ({})", shown(length)) }),
        }
    }

    /// What is said of an error that comes of the limits for locks, unless the script has something to do with them.
    pub(super) fn ended_by_limit(&self, work: &Work<'_>, code: u16) -> Option<String> {
        let script = work.script.text().to_ascii_lowercase();
        // MariaDB has one number for this and for `NOWAIT`.
        let is_own = ["lock_wait_timeout", "nowait"].iter().any(|word| script.contains(word));
        if code != LOCK_WAIT_TIMEOUT || is_own {
            return None;
        }
        let ours = shown(self.limits.by_default);
        let own = format!(
            "the default of `--lock-timeout` ({ours}), or the server's own `lock_wait_timeout` or `innodb_lock_wait_timeout`,"
        );
        Some(self.limits.of_lock(&own))
    }

    /// Lets the next statement, of this kind, wait for locks as long as the session would without us, if it could not be sent again and nobody
    /// has said anything else: a person has to look at its failure. Whether that was done.
    pub(super) async fn wait_without_ours(&mut self, work: &Work<'_>, what: &str) -> Result<Wait> {
        if self.limits.lock.is_some() || names_a_limit(work.script) || needs_whole_table(what) {
            return Ok(Wait::AsBefore);
        }
        self.execute(&without_ours(self.facts.own)).await?;
        Ok(Wait::WithoutOurs)
    }

    /// Does what records a statement that is done, however long somebody has the history locked: given up, it would be told as a
    /// statement that failed. What the script has set of limits comes back behind it.
    pub(super) async fn patiently<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        const KEEP: &str = "SET @plimsoll_tables = @@SESSION.lock_wait_timeout, @plimsoll_rows = @@SESSION.innodb_lock_wait_timeout";
        let without_end = WITHOUT_END.to_string();
        self.execute(&format!("{KEEP};{}", setting(&without_end, &without_end))).await?;
        let result = work(self).await;
        let again = self.execute(&setting("@plimsoll_tables", "@plimsoll_rows")).await;
        result.and_then(|value| again.map(|_| value))
    }

    /// Ends what [`wait_without_ours`](Self::wait_without_ours) began.
    pub(super) async fn wait_as_before(&mut self, wait: Wait) {
        if wait == Wait::WithoutOurs {
            // What came of the statement counts: if the connection is gone, so are the limits.
            let _longer = self.execute(&lock_timeouts(self.limits, self.facts.own)).await;
        }
    }
}

/// How long a statement waits for locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// As those before it.
    AsBefore,
    /// As the session did when it began.
    WithoutOurs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_whole_seconds_and_at_least_one() {
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_millis(1001)), 2);
        assert_eq!(seconds(Duration::ZERO), WITHOUT_END);
        let given = lock_timeouts(
            Limits { lock: Some(Duration::from_millis(300)), ..Limits::default() },
            OwnLimits { tables: Some(7), rows: None },
        );
        assert_eq!(given, "SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 1");
    }
}
