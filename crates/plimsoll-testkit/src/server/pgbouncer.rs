//! PgBouncer before a test server.

use std::fmt::Write as _;
use std::path::Path;

use rustix::process::Signal;
use tokio_postgres::{Client, Config, NoTls};

use super::account::unprivileged;
use super::certificates::Certificates;
use super::process::{PID_FILE, Process, on_a_free_port};
use super::{PostgresServer, Role};
use crate::database::Database;

/// When a connection to the server goes back to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// When its client leaves.
    Session,
    /// After each transaction.
    Transaction,
    /// After each statement; transactions are refused.
    Statement,
}

impl PoolMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Session, Self::Transaction, Self::Statement];

    /// Its name in PgBouncer's configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Transaction => "transaction",
            Self::Statement => "statement",
        }
    }
}

/// A PgBouncer of one's own, before all databases of one server. It knows the superuser alone, asks for the
/// password, and offers TLS.
pub struct PgBouncer {
    port: u16,
    process: Process,
}

impl PgBouncer {
    /// Starts one with three connections for each database, unless the settings say otherwise; later ones win.
    pub fn start(server: &PostgresServer, mode: PoolMode, settings: &[(&str, &str)]) -> Self {
        let (process, certificates) = Process::prepared(|data| {
            std::fs::create_dir(data).expect("the directory is new");
            let (name, password) = (Role::Superuser.name(), Role::Superuser.password().unwrap_or_default());
            std::fs::write(data.join("users"), format!("\"{name}\" \"{password}\"\n"))
                .expect("the directory is ours");
        });
        let mut pooler = Self { port: 0, process };
        let runs = on_a_free_port(|port| {
            pooler.port = port;
            let text = configuration(&pooler.process.data(), server.port(), port, mode, &certificates)
                + &lines(settings);
            std::fs::write(pooler.process.data().join("pgbouncer.ini"), text).expect("the directory is ours");
            pooler.launch()
        });
        assert!(runs, "PgBouncer does not start:\n{}", pooler.log());
        pooler
    }

    /// The port on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// One more client of a database, as an application would be.
    pub async fn client(&self, database: &Database<'_>) -> Client {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).dbname(database.name()).user(Role::Superuser.name());
        config.password(Role::Superuser.password().unwrap_or_default());
        let (client, connection) = config.connect(NoTls).await.expect("the pooler has room for one more");
        // It ends with the client, or with the runtime of the test.
        tokio::spawn(connection);
        client
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Lets what is under way end, and holds back everything that comes then (`PAUSE`).
    pub fn pause(&self) {
        self.process.signal_all(Signal::USR1);
    }

    /// Lets everything go on (`RESUME`).
    pub fn resume(&self) {
        self.process.signal_all(Signal::USR2);
    }

    fn launch(&self) -> bool {
        let program = Path::new("/usr/sbin/pgbouncer");
        assert!(program.is_file(), "PgBouncer is not installed: run `cargo xtask setup`");
        let mut command = unprivileged(program);
        command.arg(self.process.data().join("pgbouncer.ini"));
        let pid_file = self.process.data().join(PID_FILE);
        self.process.launch(command, |pid| {
            let written = std::fs::read_to_string(&pid_file).unwrap_or_default();
            // To try a connection would be one client more.
            written.trim() == pid.to_string() && self.log().contains("process up")
        })
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.process.stop(Signal::TERM);
    }
}

fn configuration(data: &Path, server: u16, port: u16, mode: PoolMode, certificates: &Certificates) -> String {
    let (users, pid) = (data.join("users"), data.join(PID_FILE));
    format!(
        "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npidfile = {}\npool_mode = {}\n\
         default_pool_size = 3\nserver_login_retry = 1\nclient_tls_sslmode = allow\nclient_tls_cert_file = {}\n\
         client_tls_key_file = {}\n",
        users.display(),
        pid.display(),
        mode.name(),
        certificates.server().display(),
        certificates.server_key().display()
    )
}

fn lines(settings: &[(&str, &str)]) -> String {
    settings.iter().fold(String::new(), |mut text, (name, value)| {
        writeln!(text, "{name} = {value}").expect("a string takes every text");
        text
    })
}
