//! Logging in, with and without TLS.

use std::path::Path;
use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::address::Address;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::Database;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Certificates, Options, PostgresServer, Role, Tls, Version};
use plimsoll_testkit::transcript::Transcript;

use crate::scene::assert_says;

/// Says whether its connection is encrypted.
const INIT: &str = "CREATE TABLE seen AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid();";

/// What must not be waited for is refused long before the wait is over.
const AT_ONCE: Duration = Duration::from_secs(10);

fn deploy(address: &Address) -> Transcript {
    let project = Project::new(Provider::Postgresql).env_url(address.url()).migration("1_init", INIT);
    plimsoll(&project).arg("deploy").run()
}

async fn encrypted(database: &Database<'_>) -> String {
    database.value("SELECT ssl FROM seen").await
}

#[track_caller]
fn refused(ended: Transcript, code: i32, words: &[&str]) {
    let ended = ended.expect_code(code);
    assert!(ended.elapsed < AT_ONCE, "it was tried again for {:?}", ended.elapsed);
    assert!(!ended.stderr.contains("waiting"), "{ended}");
    assert_says(&ended.stderr, words);
}

/// A connection is begun while the project is being read.
#[test]
fn what_is_wrong_with_the_project_comes_before_a_server_that_is_not_there() {
    let project = Project::new(Provider::Postgresql).env_url("postgresql://u@127.0.0.1:1/d");
    project.remove("prisma/migrations/migration_lock.toml");
    std::fs::remove_dir(project.migrations()).expect("it is empty");
    project.write("prisma/migrations", "a file");
    let ended = plimsoll(&project).arg("deploy").run();
    assert!(!ended.stderr.contains("127.0.0.1"), "{ended}");
    refused(ended, 78, &["PLM102", "prisma/migrations"]);
}

fn path(file: &Path) -> String {
    file.display().to_string()
}

#[tokio::test]
async fn every_way_to_log_in_works_on_every_version() {
    for version in Version::ALL {
        for role in [Role::Superuser, Role::Md5, Role::Trusted, Role::Odd] {
            let database = server::postgres(version).database().await;
            deploy(&database.address().role(role)).expect_code(0);
            assert_eq!(database.history().await.len(), 1, "{role:?} on {version:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_at_once_and_never_printed() {
    for version in Version::ALL {
        let database = server::postgres(version).database().await;
        for role in [Role::Superuser, Role::Md5] {
            let address = database.address().role(role).password("sesame-4711");
            let ended = deploy(&address);
            assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("sesame-4711"));
            refused(ended, 77, &["P1000", role.name()]);
        }
    }
}

#[tokio::test]
async fn an_unknown_role_is_refused_at_once() {
    let database = server::postgres(Version::V15).database().await;
    let url = database.url().replace("postgres:", "nobody_here:");
    let project = Project::new(Provider::Postgresql).env_url(url).migration("1_init", INIT);
    refused(plimsoll(&project).arg("deploy").run(), 77, &["P1000", "nobody_here"]);
}

#[tokio::test]
async fn a_role_that_may_not_create_changes_nothing() {
    for version in Version::ALL {
        let database = server::postgres(version).database().await;
        refused(deploy(&database.address().role(Role::Plain)), 77, &["P1010", "permission denied"]);
        assert!(database.history().await.is_empty());
        assert!(database.query("SELECT FROM pg_class WHERE relname = 'seen'").await.is_empty());
    }
}

/// Nor does it when the history is there: then it is the migration that fails, as in Prisma.
#[tokio::test]
async fn a_role_that_may_only_read_gets_nowhere_with_a_migration() {
    let database = server::postgres(Version::V15).database().await;
    deploy(&database.address()).expect_code(0);
    database.execute("GRANT SELECT ON _prisma_migrations TO plain").await;
    let address = database.address().role(Role::Plain);
    let project = Project::new(Provider::Postgresql).env_url(address.url()).migration("1_init", INIT);
    plimsoll(&project).arg("deploy").run().expect_code(0);
    project.set_migration("2_more", "CREATE TABLE more (name TEXT);");
    refused(plimsoll(&project).arg("deploy").run(), 65, &["P3018", "42501", "permission denied"]);
    assert_eq!(database.history().await.len(), 1);
}

#[tokio::test]
async fn tls_is_used_where_it_is_offered() {
    let database = server::postgres(Version::V15).database().await;
    deploy(&database.address()).expect_code(0);
    assert_eq!(encrypted(&database).await, "t");
}

#[tokio::test]
async fn tls_can_be_switched_off() {
    let database = server::postgres(Version::V15).database().await;
    deploy(&database.address().parameter("sslmode", "disable")).expect_code(0);
    assert_eq!(encrypted(&database).await, "f");
    let database = server::postgres(Version::V15).database().await;
    deploy(&database.address().role(Role::NoTls).parameter("sslmode", "disable")).expect_code(0);
}

#[tokio::test]
async fn the_right_authority_is_trusted_on_every_version() {
    for version in Version::ALL {
        let server = server::postgres(version);
        let database = server.database().await;
        let address = database.address().host("localhost").parameter("sslmode", "verify-full");
        deploy(&address.parameter("sslrootcert", &path(&server.certificates().authority()))).expect_code(0);
        assert_eq!(encrypted(&database).await, "t");
    }
}

#[tokio::test]
async fn a_foreign_authority_is_refused_and_not_tried_again() {
    let server = server::postgres(Version::V15);
    let database = server.database().await;
    let other = path(&server.certificates().other_authority());
    for mode in ["verify-ca", "verify-full"] {
        for name in ["sslrootcert", "sslcert"] {
            let address = database.address().parameter("sslmode", mode).parameter(name, &other);
            refused(deploy(&address), 78, &["P1011", "Error opening a TLS connection"]);
        }
    }
    // The system's authorities have not signed it either.
    refused(deploy(&database.address().parameter("sslaccept", "strict")), 78, &["P1011"]);
    assert!(database.history().await.is_empty());
}

/// `0.0.0.0` reaches this machine, and is not in the certificate.
#[tokio::test]
async fn another_name_is_refused_only_where_names_are_checked() {
    let server = server::postgres(Version::V15);
    let database = server.database().await;
    let authority = path(&server.certificates().authority());
    let address = || database.address().host("0.0.0.0").parameter("sslrootcert", &authority);
    refused(deploy(&address().parameter("sslmode", "verify-full")), 78, &["P1011"]);
    deploy(&address().parameter("sslmode", "verify-ca")).expect_code(0);
    assert_eq!(encrypted(&database).await, "t");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_required() {
    let server = PostgresServer::start(Version::V15, &Options::default().tls(Tls::Absent));
    let database = server.database().await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let address = database.address().parameter("sslmode", mode);
        let address = address.parameter("sslrootcert", &path(&server.certificates().authority()));
        refused(deploy(&address), 78, &["P1011"]);
    }
    deploy(&database.address()).expect_code(0);
    assert_eq!(encrypted(&database).await, "f");
}

#[tokio::test]
async fn a_role_that_needs_tls_is_refused_without() {
    let database = server::postgres(Version::V15).database().await;
    let address = database.address().role(Role::TlsOnly);
    refused(
        deploy(&address.clone().parameter("sslmode", "disable")),
        77,
        &["P1000", "pg_hba.conf rejects connection"],
    );
    deploy(&address.parameter("sslmode", "require")).expect_code(0);
}

#[tokio::test]
async fn a_client_certificate_is_enough() {
    let server = server::postgres(Version::V15);
    let database = server.database().await;
    let identity = path(&server.certificates().identity());
    let address = || database.address().role(Role::Certificate);
    refused(deploy(&address()), 77, &["P1000"]);
    let with =
        |password: &str| address().parameter("sslidentity", &identity).parameter("sslpassword", password);
    refused(deploy(&with("wrong")), 78, &["P1011", "sslidentity"]);
    deploy(&with(Certificates::IDENTITY_PASSWORD)).expect_code(0);
    assert_eq!(encrypted(&database).await, "t");
}

#[tokio::test]
async fn a_certificate_file_that_cannot_be_read_is_named() {
    let database = server::postgres(Version::V15).database().await;
    for name in ["sslrootcert", "sslcert", "sslidentity"] {
        refused(deploy(&database.address().parameter(name, "no-such.pem")), 78, &["P1011", "no-such.pem"]);
    }
}
