//! Holding a run in one phase of its work, until it is let go.

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::database::{Database, HeldLock, MysqlDatabase};
use plimsoll_testkit::program::Running;
use plimsoll_testkit::wait::{until_async, until_true};
use tokio_postgres::Client;

/// What a run is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Reading the history, which somebody has locked.
    Read,
    /// Waiting for the lock, which somebody has.
    Lock,
    /// A script that is one transaction with its row.
    Apply,
    /// A statement that no transaction can hold, behind one that is recorded.
    Parts,
    /// Committing. MySQL and MariaDB cannot be held there: [`super::limit`] cuts at that message too.
    Commit,
}

impl Phase {
    /// All in which a run on such a server can be held.
    pub(crate) fn all(kind: Kind) -> &'static [Self] {
        const ALL: [Phase; 5] = [Phase::Read, Phase::Lock, Phase::Apply, Phase::Parts, Phase::Commit];
        match kind {
            Kind::Postgres(_) => &ALL,
            _ => &ALL[..4],
        }
    }

    /// The migration whose run is held, behind [`prepared`].
    pub(crate) fn script(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Apply, Kind::Postgres(_)) => {
                "SELECT pg_advisory_xact_lock(4711);\nUPDATE counter SET n = n + 1;"
            }
            (Self::Apply, _) => "UPDATE gate SET n = n + 1;\nUPDATE counter SET n = n + 1;",
            (Self::Parts, Kind::Postgres(_)) => {
                "UPDATE counter SET n = n + 1;\nCREATE INDEX CONCURRENTLY gate_n ON gate (n);\nUPDATE counter SET n = n + 10;"
            }
            (Self::Parts, _) => {
                "UPDATE counter SET n = n + 1;\nALTER TABLE gate ADD COLUMN m INTEGER;\nUPDATE counter SET n = n + 10;"
            }
            (Self::Commit, _) => "INSERT INTO late VALUES (1);\nUPDATE counter SET n = n + 1;",
            (Self::Read | Self::Lock, _) => "UPDATE counter SET n = n + 1;",
        }
    }

    /// Closes the gate that holds a run in this phase.
    pub(crate) async fn gate(self, base: &Base) -> Gate {
        match base {
            Base::Postgres(database) => Gate::Postgres(self.close_postgres(database).await),
            Base::Mysql(database) => Gate::Mysql(self.close_mysql(database).await),
            Base::Sqlite(_) => unreachable!("a file has no network"),
        }
    }

    async fn close_postgres(self, database: &Database<'_>) -> Client {
        let close = match self {
            Self::Read => "BEGIN; LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE",
            Self::Lock => "SELECT pg_advisory_lock(72707369)",
            Self::Apply | Self::Commit => "SELECT pg_advisory_lock(4711)",
            Self::Parts => "BEGIN; LOCK TABLE gate IN ROW EXCLUSIVE MODE",
        };
        let client = database.connect().await;
        client.batch_execute(close).await.expect("nobody else is here");
        client
    }

    async fn close_mysql(self, database: &MysqlDatabase<'_>) -> HeldLock {
        match self {
            Self::Read => database.holding("LOCK TABLES _prisma_migrations WRITE").await,
            Self::Lock => database.hold("prisma_migrate").await,
            Self::Apply => database.holding("START TRANSACTION; SELECT * FROM gate FOR UPDATE").await,
            Self::Parts => database.reading("gate").await,
            Self::Commit => unreachable!("there is no such gate"),
        }
    }

    /// Returns as soon as the run is there.
    pub(crate) async fn reached(self, base: &Base, running: &Running) {
        match (self, base) {
            (Self::Read, _) => running.wait_for_stderr("waiting for another process"),
            (Self::Lock, _) => running.wait_for_stderr("waiting for another runner"),
            (_, Base::Postgres(database)) => {
                let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                             AND wait_event_type = 'Lock' AND application_name LIKE 'plimsoll%'";
                until_true(database, waits).await;
            }
            _ => {
                let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() \
                             AND (INFO LIKE 'UPDATE gate %' OR STATE = 'Waiting for table metadata lock')";
                until_async(waits, async || base.value(waits).await != "0").await;
            }
        }
    }
}

/// What the migrations before the one that is held have made: something to count in, and what the gates are about.
fn prepared(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres(_) => {
            "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
             CREATE TABLE gate (n INTEGER NOT NULL);\nINSERT INTO gate VALUES (0);\nCREATE TABLE late (n INTEGER);\n\
             CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;\n\
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION late();\n"
        }
        _ => {
            "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
             CREATE TABLE gate (n INTEGER NOT NULL);\nINSERT INTO gate VALUES (0);\n"
        }
    }
}

/// A history of three: what is prepared, what is held in this phase, and one behind it.
pub(crate) fn migrations(kind: Kind, phase: Phase) -> [(&'static str, &'static str); 3] {
    [
        ("1_prepared", prepared(kind)),
        ("2_held", phase.script(kind)),
        ("3_last", "UPDATE counter SET n = n + 100;"),
    ]
}

/// What keeps a run in its phase.
pub(crate) enum Gate {
    /// A connection that holds what the run needs.
    Postgres(Client),
    /// The same.
    Mysql(HeldLock),
}

impl Gate {
    /// Lets the run go on.
    pub(crate) async fn open(self) {
        match self {
            Self::Postgres(client) => {
                client
                    .batch_execute("ROLLBACK; SELECT pg_advisory_unlock_all()")
                    .await
                    .expect("the server runs");
            }
            Self::Mysql(held) => held.release().await,
        }
    }
}
