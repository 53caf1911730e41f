//! How much is said to a server for one migration.

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::proxy::{Protocol, Proxy, Side};
use plimsoll_testkit::server::{Flavour, MysqlServer, Options};

/// Two definitions each.
const MIGRATIONS: [(&str, &str); 3] = [
    ("1_ship", "CREATE TABLE ship (name VARCHAR(191));\nCREATE INDEX ship_name ON ship (name);\n"),
    ("2_port", "CREATE TABLE port (name VARCHAR(191));\nALTER TABLE ship ADD COLUMN port INTEGER;\n"),
    ("3_more", "ALTER TABLE port ADD COLUMN depth INTEGER;\nALTER TABLE ship DROP COLUMN port;\n"),
];

/// The messages of a run that applies so many of them to an empty database.
async fn messages(server: &MysqlServer, migrations: usize) -> usize {
    let database = server.database().await;
    let watched = Proxy::watch(Protocol::Mysql, server.port());
    let project = Project::new(Provider::Mysql).env_url(database.address().port(watched.port()).url());
    for (name, script) in &MIGRATIONS[..migrations] {
        project.set_migration(name, script);
    }
    plimsoll(&project).arg("deploy").run().expect_code(0);
    watched.lengths(Side::Runner).len()
}

/// For each definition a look, the record with which the settings come back, and the statement, which always is a message of its own; then
/// the end.
#[tokio::test]
async fn a_migration_of_two_definitions_is_seven_messages() {
    for flavour in Flavour::ALL {
        // One that nobody else locks.
        let server = MysqlServer::start(flavour, &Options::default());
        // The first login of a user takes more, until the server has his password in its cache.
        messages(&server, 1).await;
        let one = messages(&server, 1).await;
        assert_eq!(messages(&server, 3).await - one, 14, "{flavour:?}");
    }
}
