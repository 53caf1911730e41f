//! TLS. The older MySQL of the tests has a library from before ECDHE was a matter of course, and can only be refused.

use std::path::Path;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Certificates, Flavour, Login, MysqlServer, Options, Tls};

use super::connecting::{deploy, refused};

fn path(file: &Path) -> String {
    file.display().to_string()
}

/// Whether a connection to this address is encrypted, as the server says.
async fn encrypted(database: &MysqlDatabase<'_>, url: String) -> bool {
    let seen = "CREATE TABLE seen AS SELECT VARIABLE_VALUE AS cipher FROM information_schema.SESSION_STATUS \
                WHERE VARIABLE_NAME = 'Ssl_cipher';";
    let project = Project::new(Provider::Mysql).env_url(url).migration("1_init", seen);
    plimsoll(&project).arg("deploy").run().expect_code(0);
    !database.value("SELECT cipher FROM seen").await.is_empty()
}

#[tokio::test]
async fn tls_is_used_if_and_only_if_a_parameter_speaks_of_it() {
    let server = server::mysql(Flavour::Mariadb);
    let authority = path(&server.certificates().authority());
    for (name, value, expected) in [
        ("connect_timeout", "5", false),
        ("ssl-mode", "DISABLED", false),
        ("sslaccept", "accept_invalid_certs", true),
        ("sslcert", authority.as_str(), true),
        ("ssl-mode", "REQUIRED", true),
    ] {
        let database = server.database().await;
        let url = database.address().parameter(name, value).url();
        assert_eq!(encrypted(&database, url).await, expected, "{name}={value}");
    }
}

#[tokio::test]
async fn only_the_right_authority_and_the_right_host_are_trusted() {
    for flavour in [Flavour::Mysql, Flavour::Mariadb] {
        only_the_right_are_trusted_of(server::mysql(flavour)).await;
    }
}

async fn only_the_right_are_trusted_of(server: &MysqlServer) {
    let database = server.database().await;
    let address = |authority: &Path| {
        database.address().parameter("sslaccept", "strict").parameter("sslcert", &path(authority))
    };
    let (right, wrong) = (server.certificates().authority(), server.certificates().other_authority());
    refused(deploy(&address(&wrong)), 78, &["P1011", "Error opening a TLS connection"]);
    // `0.0.0.0` reaches this machine, and is not in the certificate.
    refused(deploy(&address(&right).host("0.0.0.0")), 78, &["P1011"]);
    // The system's authorities have not signed it either.
    refused(deploy(&database.address().parameter("sslaccept", "strict")), 78, &["P1011"]);
    assert!(database.history().await.is_empty());
    for host in ["localhost", "127.0.0.1"] {
        deploy(&address(&right).host(host)).expect_code(0);
    }
}

#[tokio::test]
async fn nothing_is_sent_in_plain_text_where_tls_is_asked_for() {
    let server = MysqlServer::start(Flavour::Mariadb, &Options::default().tls(Tls::Absent));
    let database = server.database().await;
    let address = || database.address();
    refused(deploy(&address().parameter("sslaccept", "accept_invalid_certs")), 78, &["P1011", "offers none"]);
    refused(deploy(&address().parameter("ssl-mode", "REQUIRED")), 78, &["P1011", "offers none"]);
    deploy(&address()).expect_code(0);
}

#[tokio::test]
async fn a_server_whose_tls_is_too_old_is_refused_and_says_why() {
    let database = server::mysql(Flavour::OldMysql).database().await;
    let address = database.address().parameter("sslaccept", "accept_invalid_certs");
    refused(deploy(&address), 78, &["P1011", "ECDHE"]);
    assert!(database.history().await.is_empty());
}

#[tokio::test]
async fn a_user_that_needs_tls_is_refused_without() {
    let database = server::mysql(Flavour::Mariadb).database().await;
    let address = database.address().login(Login::TlsOnly);
    refused(deploy(&address), 77, &["P1000"]);
    deploy(&address.parameter("sslaccept", "accept_invalid_certs")).expect_code(0);
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let server = server::mysql(Flavour::Mariadb);
    let database = server.database().await;
    let address = || database.address().login(Login::Certificate);
    refused(deploy(&address().parameter("sslaccept", "accept_invalid_certs")), 77, &["P1000"]);
    let identity = path(&server.certificates().identity());
    let with =
        |password: &str| address().parameter("sslidentity", &identity).parameter("sslpassword", password);
    refused(deploy(&with("wrong")), 78, &["P1011", "sslidentity"]);
    deploy(&with(Certificates::IDENTITY_PASSWORD)).expect_code(0);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let database = server::mysql(Flavour::Mariadb).database().await;
    for name in ["sslcert", "sslidentity"] {
        refused(deploy(&database.address().parameter(name, "no-such.pem")), 78, &["P1011", "no-such.pem"]);
    }
}
