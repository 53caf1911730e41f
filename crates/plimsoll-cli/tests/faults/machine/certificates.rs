//! A server's certificate that is past its time, or before it, which is the same to a machine whose clock is wrong.

use std::path::Path;

use plimsoll_testkit::address::Address;
use plimsoll_testkit::base::Kind;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Certificates, Flavour, MysqlServer, Options, PostgresServer, Stop, Version};

use super::clock::at;
use crate::scene::{INIT, assert_says, deploy, project};

/// Longer than any test may take: a certificate is not waited for.
const WAIT: &str = "--wait=10m";

/// What checks a certificate against the authority of this server.
fn checking(kind: Kind, address: Address, certificates: &Certificates) -> Project {
    let authority = certificates.authority().display().to_string();
    let (mode, file) = match kind {
        Kind::Postgres(_) => (("sslmode", "require"), "sslrootcert"),
        _ => (("sslaccept", "strict"), "sslcert"),
    };
    let address = address.parameter(mode.0, mode.1).parameter(file, &authority);
    project(kind, address.parameter("sslaccept", "strict").url(), &[("1_init", INIT)])
}

fn exchange(certificates: &Certificates, by: &Path) {
    std::fs::copy(by, certificates.server()).expect("the directory of the server is ours");
}

fn refused(program: Program, words: &[&str]) {
    let ended = program.arg(WAIT).run().expect_code(78);
    assert_says(&ended.stderr, &["P1011", "Error opening a TLS connection"]);
    assert_says(&ended.stderr, words);
}

#[tokio::test]
async fn a_certificate_of_postgresql_that_has_expired_is_named_and_not_waited_for() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let kind = Kind::Postgres(Version::V15);
    let project = checking(kind, database.address(), server.certificates());
    refused(
        at("1970-02-01 00:00:00", deploy(&project)),
        &["not valid yet", "the clock of this machine is wrong"],
    );
    deploy(&project).run().expect_code(0);
    let right = std::fs::read(server.certificates().server()).expect("it is there");
    exchange(server.certificates(), &server.certificates().expired());
    server.restart(Stop::Fast);
    refused(
        deploy(&project),
        &["certificate expired", "renew the server's certificate", "clock of this machine"],
    );
    std::fs::write(server.certificates().server(), right).expect("it is ours");
    server.restart(Stop::Fast);
    deploy(&project).run().expect_code(0);
}

#[tokio::test]
async fn a_certificate_of_mysql_or_mariadb_that_has_expired_is_named_and_not_waited_for() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        let project = checking(Kind::Mysql(flavour), database.address(), server.certificates());
        refused(
            at("1970-02-01 00:00:00", deploy(&project)),
            &["not valid yet", "the clock of this machine is wrong"],
        );
        deploy(&project).run().expect_code(0);
        exchange(server.certificates(), &server.certificates().expired());
        let reload = if flavour.is_mysql() { "ALTER INSTANCE RELOAD TLS" } else { "FLUSH SSL" };
        server.execute(reload).await;
        refused(deploy(&project), &["certificate expired", "renew the server's certificate"]);
    }
}
