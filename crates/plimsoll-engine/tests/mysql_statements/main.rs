//! Scripts are cut into the statements that the servers themselves see, and that the mysql client would send.
//!
//! The general log of a server holds one entry for each statement of a message that has several: it is the oracle.

mod generated;
mod oracle;
mod script;
mod scripts;

use oracle::Oracle;
use plimsoll_testkit::server::Flavour;

#[tokio::test]
async fn mysql_sees_the_statements_that_we_see() {
    compare(Flavour::Mysql).await;
}

#[tokio::test]
async fn an_older_mysql_sees_the_statements_that_we_see() {
    compare(Flavour::OldMysql).await;
}

#[tokio::test]
async fn mariadb_sees_the_statements_that_we_see() {
    compare(Flavour::Mariadb).await;
}

async fn compare(flavour: Flavour) {
    let oracle = Oracle::start(flavour).await;
    let mut wrong = Vec::new();
    for script in script::for_server(flavour) {
        wrong.extend(oracle.message(&script).await.err());
    }
    for script in generated::scripts() {
        wrong.extend(oracle.message(&script).await.err());
    }
    for script in script::for_client() {
        wrong.extend(oracle.client(&script).await.err());
    }
    assert!(wrong.is_empty(), "{} scripts differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}
