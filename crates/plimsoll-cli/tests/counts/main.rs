//! Counts the instructions of a run that finds nothing to do: from the start of the process to its end, as a pod pays for them.
//!
//! `cargo xtask counts` builds the binary of a release, runs this, and compares; `cargo test` leaves it out. A line of standard
//! output is a name, a tab and a number.
#![expect(clippy::print_stdout, reason = "its lines are read by `cargo xtask counts`")]

mod callgrind;
mod history;

use plimsoll_core::Provider;
use plimsoll_testkit::database::{Database, SqliteDatabase};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Role, Version, postgres};

use callgrind::Counted;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let counted = Counted::of_environment();
    tell("version", counted.instructions(&Project::empty(), "--version"));
    for migrations in [1, 100, 1000] {
        let database = SqliteDatabase::new();
        let project = history::of(Provider::Sqlite, migrations).env_url(database.url());
        counted.run(&project, "deploy");
        tell(&format!("deploy-sqlite-{migrations}"), counted.instructions(&project, "deploy"));
        if migrations == 100 {
            tell("status-sqlite-100", counted.instructions(&project, "status"));
        }
    }
    for migrations in [100, 1000] {
        let database = postgres(Version::V15).database().await;
        let project = history::of(Provider::Postgresql, migrations).env_url(url(&database));
        counted.run(&project, "deploy");
        tell(&format!("deploy-postgresql-{migrations}"), counted.instructions(&project, "deploy"));
    }
}

/// Without a password and TLS: their arithmetic would hide everything else, and a key is another one each time.
fn url(database: &Database<'_>) -> String {
    database.address().role(Role::Trusted).parameter("sslmode", "disable").url()
}

fn tell(name: &str, instructions: u64) {
    println!("{name}\t{instructions}");
}
