//! The servers are what they promise to be.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use plimsoll_testkit::server::{
    Certificates, Flavour, MysqlServer, Options, PostgresServer, Role, Stop, Tls, Version, postgres,
};
use tokio_postgres::NoTls;

#[tokio::test]
async fn a_server_of_each_version_answers() {
    for version in Version::ALL {
        let database = postgres(version).database().await;
        let answer = database.value("SHOW server_version").await;
        assert!(answer.starts_with(&format!("{}.", version.major())), "{answer}");
    }
}

#[tokio::test]
async fn a_role_logs_in_the_way_that_it_is_for() {
    let database = postgres(Version::V15).database().await;
    for role in [Role::Superuser, Role::Md5, Role::Trusted, Role::Plain, Role::NoTls, Role::Odd] {
        let (client, connection) = tokio_postgres::connect(&database.address().role(role).url(), NoTls)
            .await
            .unwrap_or_else(|error| panic!("{role:?}: {error:?}"));
        tokio::spawn(connection);
        let may_create = client.batch_execute(&format!("CREATE TABLE \"{}\" ()", role.name())).await.is_ok();
        assert_eq!(may_create, role != Role::Plain, "{role:?}");
    }
    let socket = database.address().role(Role::Odd).socket().url();
    tokio_postgres::connect(&socket, NoTls).await.map(drop).unwrap();
}

#[tokio::test]
async fn a_role_is_refused_the_way_that_it_is_not_for() {
    let database = postgres(Version::V15).database().await;
    for role in [Role::TlsOnly, Role::Certificate] {
        assert!(
            tokio_postgres::connect(&database.address().role(role).url(), NoTls).await.is_err(),
            "{role:?}"
        );
    }
    let wrong = database.address().role(Role::Md5).password("wrong").url();
    assert!(tokio_postgres::connect(&wrong, NoTls).await.is_err());
}

#[tokio::test]
async fn a_private_server_keeps_its_port_and_its_data_through_restarts() {
    let server = PostgresServer::start(Version::V18, &Options::default().setting("log_statement", "all"));
    let database = server.database().await;
    database.execute("CREATE TABLE kept AS SELECT 1 AS one").await;
    let port = server.port();
    server.restart(Stop::Fast);
    assert_eq!(server.port(), port);
    assert_eq!(database.value("SELECT one FROM kept").await, "1");
    assert!(server.log().contains("CREATE TABLE kept"));
    server.stop(Stop::Immediate);
    assert!(tokio_postgres::connect(&database.url(), NoTls).await.is_err());
}

#[tokio::test]
async fn a_paused_server_does_not_answer_until_it_is_resumed() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    server.pause();
    let silent = tokio::time::timeout(Duration::from_millis(200), database.value("SELECT 1")).await;
    assert!(silent.is_err());
    server.resume();
    assert_eq!(database.value("SELECT 1").await, "1");
}

#[test]
fn a_dropped_server_leaves_nothing_behind() {
    let server = PostgresServer::start(Version::V13, &Options::default());
    let directory = server.socket_directory().to_owned();
    drop(server);
    assert!(!directory.exists());
}

/// Connects as a program of PostgreSQL's own does, with more parameters of libpq.
fn psql(server: &PostgresServer, role: Role, parameters: &str) -> bool {
    let files = server.certificates();
    let connection =
        format!("host=localhost hostaddr=127.0.0.1 port={} dbname=postgres {parameters}", server.port());
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--no-password", "--command", "SELECT 1", "--dbname"]).arg(connection);
    psql.env("PGUSER", role.name()).env("PGPASSWORD", role.password().unwrap_or_default());
    psql.env("PGSSLCERT", files.client()).env("PGSSLKEY", files.client_key());
    psql.output().expect("run `cargo xtask setup`").status.success()
}

#[test]
fn certificates_are_trusted_by_whom_they_are_for() {
    let server = postgres(Version::V15);
    let trusting = |file: &Path| format!("sslmode=verify-full sslrootcert={}", file.display());
    let ours = trusting(&server.certificates().authority());
    assert!(psql(server, Role::TlsOnly, &ours));
    assert!(psql(server, Role::Certificate, &ours));
    assert!(!psql(server, Role::NoTls, &ours));
    assert!(psql(server, Role::NoTls, "sslmode=disable"));
    assert!(!psql(server, Role::TlsOnly, "sslmode=disable"));
    assert!(!psql(server, Role::TlsOnly, &trusting(&server.certificates().other_authority())));
}

#[test]
fn a_server_without_tls_says_so() {
    let server = PostgresServer::start(Version::V15, &Options::default().tls(Tls::Absent));
    assert!(psql(&server, Role::Superuser, "sslmode=disable"));
    assert!(!psql(&server, Role::Superuser, "sslmode=require"));
}

#[test]
fn the_identity_opens_with_its_password() {
    let file = std::fs::read(postgres(Version::V15).certificates().identity()).unwrap();
    let open = |password| KeyStore::from_pkcs12(&file, password, Pkcs12ImportPolicy::Strict);
    assert_eq!(
        open(Certificates::IDENTITY_PASSWORD).unwrap().private_key_chain().unwrap().1.certs().len(),
        2
    );
    assert!(open("wrong").is_err());
}

/// Tells the test that has started this process where its server is.
const OWNER: &str = "PLIMSOLL_TESTKIT_OWNER";

/// What a process may own; the data directory has the number of the server in a file of the same name for each.
const KINDS: [&str; 3] = ["postgres", "mysql", "mariadb"];

#[test]
fn a_server_ends_when_its_owner_is_killed() {
    KINDS.into_iter().for_each(ends_with_its_owner);
}

fn ends_with_its_owner(kind: &str) {
    let mut owner = Command::new(std::env::current_exe().expect("a test is a program"))
        .args(["--exact", "owner_of_a_server", "--nocapture"])
        .env(OWNER, kind)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs already");
    let lines = BufReader::new(owner.stdout.take().expect("it has a pipe")).lines();
    let found = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("server at ").map(|(_, at)| PathBuf::from(at)));
    let directory = found.expect("the owner says where its server is");
    let pid = std::fs::read_to_string(directory.join("data/postmaster.pid")).expect("it runs");
    let process = Path::new("/proc").join(pid.lines().next().expect("the file begins with the number"));
    assert!(process.exists());
    owner.kill().expect("it is our child");
    owner.wait().expect("it is our child");
    let start = Instant::now();
    while directory.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "{} is still there", directory.display());
        std::thread::yield_now();
    }
    // Whoever has adopted it may not have looked after it yet: then it is a zombie.
    let state = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{kind}: {state}");
}

/// Not a test by itself: the process that the test above kills.
#[test]
fn owner_of_a_server() {
    let options = Options::default();
    let mysql = |flavour| tell_and_wait(MysqlServer::start(flavour, &options).directory());
    match std::env::var(OWNER).as_deref() {
        Ok("postgres") => tell_and_wait(PostgresServer::start(Version::V15, &options).socket_directory()),
        Ok("mysql") => mysql(Flavour::Mysql),
        Ok("mariadb") => mysql(Flavour::Mariadb),
        other => assert!(other.is_err(), "nobody knows what {other:?} is"),
    }
}

#[expect(clippy::print_stdout, reason = "this is how it speaks to the test that has started it")]
fn tell_and_wait(directory: &Path) {
    println!("server at {}", directory.display());
    std::thread::park();
}
