//! Sending messages, and the texts that come back.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, DriverError, Value};
use plimsoll_core::script::mysql::Flavour;

use super::limits::Limit;
use super::settings::Standing;
use super::{MysqlCanceller, MysqlSession, error};
use crate::backend::Session as _;
use crate::classes::Server;
use crate::error::Result;

/// The values of one row, as the server shows them.
pub(super) type Row = Vec<Option<String>>;

/// What the statements of one message answered.
pub(super) struct Answers {
    /// The rows of each statement, up to the first that failed.
    pub(super) sets: Vec<Vec<Row>>,
    /// The error of the first statement that failed: those behind it were not executed.
    pub(super) failure: Option<mysql_async::Error>,
}

impl MysqlSession {
    /// Sends one message of our own, of one statement or several, drops its rows, and says how many rows the last one
    /// changed.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<u64> {
        self.execute_in(self.ours_in, sql).await.map_err(|found| self.error(&found))
    }

    /// Makes the session what it is to the statements of scripts, if a look of ours has left it another one.
    pub(super) async fn take_own_settings(&mut self) -> std::result::Result<(), mysql_async::Error> {
        if self.has_settings(Standing::Own) {
            return Ok(());
        }
        self.execute_in(Standing::Own, "DO 0").await.map(drop)
    }

    async fn execute_in(
        &mut self,
        settings: Standing,
        sql: &str,
    ) -> std::result::Result<u64, mysql_async::Error> {
        let (message, before) = self.behind_settings(sql, settings);
        let sent = self.send_now(&message, self.limit.clone()).await;
        self.settings_are(before, sent.is_ok().then_some(settings));
        sent
    }

    /// The same for a statement of a script, with the driver's own error, for whoever knows more about what was sent.
    ///
    /// None is begun once somebody has asked to stop: between two statements there is nothing that the server could
    /// cancel, so it ends as if the server had. Nor is one sent that the server would not read to its end. It is a message of its own,
    /// also where a look of ours has left other settings.
    pub(super) async fn send(&mut self, sql: &str) -> std::result::Result<u64, mysql_async::Error> {
        self.take_own_settings().await?;
        if self.is_cancelled() {
            return Err(error::interrupted());
        }
        // The command takes one byte itself.
        if self.facts.longest_message.is_some_and(|most| sql.len() >= most) {
            return Err(error::too_long());
        }
        self.send_now(sql, self.statement_limit()).await
    }

    async fn send_now(
        &mut self,
        sql: &str,
        limit: Option<Limit>,
    ) -> std::result::Result<u64, mysql_async::Error> {
        let canceller = self.canceller();
        within(limit, &canceller, self.conn.query_drop(sql)).await?;
        Ok(self.conn.affected_rows())
    }

    /// Sends one message and returns the rows of all its statements.
    pub(super) async fn rows(&mut self, sql: &str) -> Result<Vec<Row>> {
        let answers = self.answers(sql).await;
        match answers.failure {
            Some(found) => Err(self.error(&found)),
            None => Ok(answers.sets.into_iter().flatten().collect()),
        }
    }

    /// Sends one message and returns the rows of each of its statements, also of those before one that failed.
    pub(super) async fn answers(&mut self, sql: &str) -> Answers {
        let (limit, canceller) = (self.limit.clone(), self.canceller());
        let (message, before) = self.behind_settings(sql, self.ours_in);
        let mut sets = Vec::new();
        let collected = within(limit, &canceller, collect(&mut self.conn, &message, &mut sets)).await;
        // Each statement that was executed before another has its set, also where that one failed.
        self.settings_are(before, (sets.len() >= before).then_some(self.ours_in));
        sets.drain(..before.min(sets.len()));
        Answers { sets, failure: collected.err() }
    }

    /// Sorts an error of this session.
    pub(super) fn error(&self, found: &mysql_async::Error) -> crate::error::Error {
        error::of_session(found, &self.endpoint, self.flavour())
    }

    /// Which server this is, for its list of errors; before it has said so, either.
    pub(super) fn flavour(&self) -> Server {
        match self.server().flavour {
            _ if self.facts.version.is_empty() => Server::Any,
            Flavour::Mysql => Server::Mysql,
            Flavour::Mariadb => Server::Mariadb,
        }
    }
}

async fn collect(conn: &mut Conn, sql: &str, sets: &mut Vec<Vec<Row>>) -> mysql_async::Result<()> {
    let mut result = conn.query_iter(sql).await?;
    while !result.is_empty() {
        let mut set = Vec::new();
        let ended = result
            .for_each(|row| set.push(row.unwrap_raw().into_iter().map(|value| text(value?)).collect()))
            .await;
        sets.push(set);
        ended?;
    }
    // The driver keeps the error of a later statement for whoever asks next.
    result.drop_result().await
}

/// A value as the server shows it. Bytes that are no UTF-8 are those of a column of bytes, which nobody asks for.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        // The text protocol has no others.
        other => Some(other.as_sql(true)),
    }
}

/// Whether the server says that somebody has cancelled the statement.
fn is_interrupted(found: &mysql_async::Error) -> bool {
    matches!(found, mysql_async::Error::Server(said) if said.code == error::INTERRUPTED)
}

/// How long the server may take to end a statement that it was told to end. One that is out of reach takes for ever.
const CANCELLED: Duration = Duration::from_secs(10);

/// Cancels what takes longer than the limit, which is an error of its own: another start would come to the same. A server that does not
/// even end it is as good as gone.
async fn within<T>(
    limit: Option<Limit>,
    canceller: &MysqlCanceller,
    work: impl Future<Output = mysql_async::Result<T>>,
) -> mysql_async::Result<T> {
    let Some(limit) = limit else { return work.await };
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => done,
        () = tokio::time::sleep(limit.length) => {
            let ended = async {
                canceller.cancel_statement().await;
                work.await
            };
            match tokio::time::timeout(CANCELLED, ended).await {
                Ok(done) => done.map_err(|found| if is_interrupted(&found) { limit.exceeded() } else { found }),
                Err(_) => Err(DriverError::ConnectionClosed.into()),
            }
        }
    }
}
