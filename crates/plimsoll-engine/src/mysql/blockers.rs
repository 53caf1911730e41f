//! Who keeps a session of MySQL or MariaDB waiting, as another one sees it.
//!
//! MySQL tells in `performance_schema`, which MariaDB has switched off by default; of rows MariaDB tells in `information_schema`.
//! Where nobody tells who holds the lock of a table, those who have a transaction open may.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, Row};
use plimsoll_core::script::mysql::{Server, without_values};

use super::connect;
use super::send::text;
use crate::blockers::{Blocker, Certainty, QUERY, Witness, first_words};

/// Sees what a session of MySQL or MariaDB waits for, over a connection of its own.
pub struct MysqlWitness {
    pub(super) opts: Opts,
    pub(super) session: u32,
    /// How the server reads what others say to it.
    pub(super) server: Server,
    pub(super) conn: Option<Conn>,
}

impl Witness for MysqlWitness {
    /// Whoever asks may stop listening in the middle of an answer, the rest of which would be taken for the next one: a connection is
    /// kept only if it has answered everything.
    async fn blockers(&mut self) -> Option<Vec<Blocker>> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => Conn::new(self.opts.clone()).await.ok()?,
        };
        let mut questions = Questions { conn, session: self.session, server: self.server };
        let blockers = questions.blockers().await;
        self.conn = Some(questions.conn);
        Some(blockers)
    }

    async fn close(self) {
        if let Some(conn) = self.conn {
            connect::close(conn).await;
        }
    }
}

/// About how many something is asked: what is said names three, and that there are more.
const MOST: usize = 4;

/// What the session does: every user sees that of its own. The questions about tables take long on a server with many of them.
const STATE: &str = "SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = ?";

/// Tables and the like, where `performance_schema` is on. What is intended is no obstacle by itself.
const TABLES: &str = "SELECT DISTINCT h.PROCESSLIST_ID FROM performance_schema.metadata_locks w \
    JOIN performance_schema.threads o ON o.THREAD_ID = w.OWNER_THREAD_ID AND o.PROCESSLIST_ID = ? \
    JOIN performance_schema.metadata_locks g ON g.OBJECT_TYPE = w.OBJECT_TYPE AND g.OBJECT_SCHEMA <=> w.OBJECT_SCHEMA \
    AND g.OBJECT_NAME <=> w.OBJECT_NAME AND g.LOCK_STATUS = 'GRANTED' AND g.LOCK_TYPE <> 'INTENTION_EXCLUSIVE' \
    AND g.OWNER_THREAD_ID <> w.OWNER_THREAD_ID \
    JOIN performance_schema.threads h ON h.THREAD_ID = g.OWNER_THREAD_ID \
    WHERE w.LOCK_STATUS = 'PENDING' AND h.PROCESSLIST_ID IS NOT NULL";

/// Rows on MySQL 8.
const ROWS: &str = "SELECT DISTINCT h.PROCESSLIST_ID FROM performance_schema.data_lock_waits w \
    JOIN performance_schema.threads o ON o.THREAD_ID = w.REQUESTING_THREAD_ID AND o.PROCESSLIST_ID = ? \
    JOIN performance_schema.threads h ON h.THREAD_ID = w.BLOCKING_THREAD_ID WHERE h.PROCESSLIST_ID IS NOT NULL";

/// Rows on MariaDB.
const ROWS_OF_MARIADB: &str = "SELECT DISTINCT h.trx_mysql_thread_id FROM information_schema.INNODB_LOCK_WAITS w \
    JOIN information_schema.INNODB_TRX o ON o.trx_id = w.requesting_trx_id AND o.trx_mysql_thread_id = ? \
    JOIN information_schema.INNODB_TRX h ON h.trx_id = w.blocking_trx_id";

/// Those who may hold the lock of a table, if that is what is waited for.
const POSSIBLE: &str = "SELECT t.trx_mysql_thread_id FROM information_schema.PROCESSLIST o \
    JOIN information_schema.INNODB_TRX t ON t.trx_mysql_thread_id NOT IN (o.ID, 0) \
    WHERE o.ID = ? AND (o.STATE LIKE 'Waiting for % lock%' OR o.STATE LIKE 'Waiting for table flush%') ORDER BY t.trx_started LIMIT 4";

/// What one connection does.
const PROCESS: &str = "SELECT USER, HOST, COMMAND, INFO FROM information_schema.PROCESSLIST WHERE ID = ?";

/// For how many seconds its transaction has been open.
const OPEN_FOR: &str = "SELECT CAST(TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS CHAR) FROM information_schema.INNODB_TRX \
    WHERE trx_mysql_thread_id = ?";

/// The statement that it executes, or the last one.
const STATEMENT: &str = "SELECT s.SQL_TEXT FROM performance_schema.threads t \
    JOIN performance_schema.events_statements_current s ON s.THREAD_ID = t.THREAD_ID \
    WHERE t.PROCESSLIST_ID = ? ORDER BY s.EVENT_ID DESC LIMIT 1";

/// The name that it carries.
const NAME: &str = "SELECT ATTR_VALUE FROM performance_schema.session_connect_attrs \
    WHERE PROCESSLIST_ID = ? AND ATTR_NAME = 'program_name'";

/// What is asked at a time.
struct Questions {
    conn: Conn,
    session: u32,
    server: Server,
}

impl Questions {
    async fn blockers(&mut self) -> Vec<Blocker> {
        // The servers have no word for a wait for a row, and many for one for anything else.
        let state = self.first(STATE, u64::from(self.session)).await.unwrap_or_default().to_ascii_lowercase();
        let may_want_table = state.contains("lock") || state.contains("flush");
        let mut numbers = Vec::new();
        if may_want_table {
            numbers.extend(self.numbers(TABLES).await);
        }
        if numbers.is_empty() {
            for question in [ROWS, ROWS_OF_MARIADB] {
                numbers.extend(self.numbers(question).await);
            }
        }
        let mut certainty = Certainty::Sure;
        if numbers.is_empty() && may_want_table {
            certainty = Certainty::Possible;
            numbers = self.numbers(POSSIBLE).await;
        }
        if certainty == Certainty::Sure {
            numbers.sort_unstable();
            numbers.dedup();
        }
        // Each is asked about, again and again, on a server that has enough to do.
        numbers.truncate(MOST);
        let (own, mut blockers) = (u64::from(self.session), Vec::new());
        for number in numbers.into_iter().filter(|number| *number != own) {
            blockers.push(Blocker { certainty, ..self.blocker(number).await });
        }
        blockers
    }

    /// The numbers of connections that a question about the session answers. What a server does not have, or not show, is no
    /// answer.
    async fn numbers(&mut self, question: &str) -> Vec<u64> {
        let rows = self.rows(question, u64::from(self.session)).await;
        rows.into_iter().filter_map(|row| row.into_iter().next()??.parse().ok()).collect()
    }

    /// What is to be known of a connection.
    async fn blocker(&mut self, number: u64) -> Blocker {
        let mut process = self.texts(PROCESS, number).await.into_iter();
        let mut next = || process.next().flatten().filter(|text| !text.is_empty());
        let (user, address, command, current) = (next(), next(), next(), next());
        let open_for = self.first(OPEN_FOR, number).await.and_then(|seconds| seconds.parse().ok());
        let query = match current {
            Some(current) => Some(current),
            None => self.first(STATEMENT, number).await,
        };
        Blocker {
            connection: number.to_string(),
            user,
            application: self.first(NAME, number).await,
            address,
            state: command.map(|command| state(&command, open_for)),
            open_for: open_for.map(Duration::from_secs),
            query: query.map(|query| first_words(&without_values(&query, &self.server), QUERY)),
            certainty: Certainty::Sure,
        }
    }

    async fn first(&mut self, question: &str, number: u64) -> Option<String> {
        self.texts(question, number).await.into_iter().next().flatten()
    }

    /// The values of the first row that a question about a connection answers.
    async fn texts(&mut self, question: &str, number: u64) -> Vec<Option<String>> {
        self.rows(question, number).await.into_iter().next().unwrap_or_default()
    }

    /// All that a question about a connection answers, if it is answered.
    async fn rows(&mut self, question: &str, number: u64) -> Vec<Vec<Option<String>>> {
        let question = question.replace('?', &number.to_string());
        let rows: Vec<Row> = self.conn.query(question).await.unwrap_or_default();
        rows.into_iter().map(|row| row.unwrap_raw().into_iter().map(|value| text(value?)).collect()).collect()
    }
}

fn state(command: &str, open_for: Option<u64>) -> String {
    match (command, open_for) {
        ("Sleep", Some(_)) => "idle in transaction".to_owned(),
        _ => command.to_lowercase(),
    }
}
