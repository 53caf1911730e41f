//! Who keeps a session of PostgreSQL waiting, as another one sees it.

use std::time::Duration;

use plimsoll_core::script::postgres::without_values;
use tokio_postgres::SimpleQueryRow;

use super::link::Link;
use super::target::Target;
use super::{connect, only_rows};
use crate::blockers::{Blocker, Certainty, QUERY, Witness, first_words};

/// Sees what a PostgreSQL session waits for, over a connection of its own.
pub struct PostgresWitness {
    pub(super) target: Target,
    pub(super) runner: String,
    /// The number of the session, if it is known.
    pub(super) session: Option<i32>,
    pub(super) link: Option<Link>,
}

impl Witness for PostgresWitness {
    async fn blockers(&mut self) -> Option<Vec<Blocker>> {
        let question = question(self.session?);
        if self.link.is_none() {
            let database = self.target.url.database.clone();
            // Whoever counts runners does not count it.
            let name = format!("{} watching", self.runner);
            self.link = Some(connect::open(&self.target, &database, &name).await.ok()?);
        }
        let answer = self.link.as_ref()?.client.simple_query(&question).await;
        if answer.is_err() {
            // Whoever asks again gets another one.
            self.link = None;
        }
        Some(only_rows(answer.ok()?).iter().map(blocker).collect())
    }

    async fn close(self) {
        if let Some(link) = self.link {
            link.close().await;
        }
    }
}

/// Of the connections of another role PostgreSQL shows little, unless ours may see it all (`pg_read_all_stats`).
///
/// Who blocks is asked only where the session says that it waits for a lock: that question holds up all who take one.
fn question(session: i32) -> String {
    format!(
        "SELECT DISTINCT ON (b.pid) b.pid, a.usename, a.application_name, pg_catalog.host(a.client_addr), a.state, \
         extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.int8, a.query \
         FROM pg_catalog.unnest(CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_activity o WHERE o.pid = {session} \
         AND o.wait_event_type = 'Lock') THEN pg_catalog.pg_blocking_pids({session}) END) b(pid) \
         LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid ORDER BY b.pid"
    )
}

/// Names of roles, and statements, are those of all databases of a server, in the encoding of the one that they are from: what is no
/// UTF-8 counts as not known.
fn blocker(row: &SimpleQueryRow) -> Blocker {
    let known = |n: usize| row.try_get(n).ok().flatten();
    let text = |n: usize| known(n).filter(|text| !text.is_empty()).map(str::to_owned);
    let connection = match known(0) {
        // Its session is gone; it waits for COMMIT PREPARED.
        None | Some("0") => "of a prepared transaction".to_owned(),
        Some(pid) => pid.to_owned(),
    };
    let query = text(6).filter(|query| query != "<insufficient privilege>");
    Blocker {
        connection,
        user: text(1),
        application: text(2),
        address: text(3),
        state: text(4),
        open_for: text(5).and_then(|text| text.parse().ok()).map(Duration::from_secs),
        query: query.map(|query| first_words(&without_values(&query), QUERY)),
        certainty: Certainty::Sure,
    }
}
