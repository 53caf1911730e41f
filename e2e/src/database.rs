//! Databases on this machine, where pods can reach them.

use std::sync::OnceLock;

use plimsoll_testkit::address::Address;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options, PostgresServer, Version};

use crate::cluster::cluster;

/// The server that all scenarios of a test program share, each with a database of its own.
pub fn postgres() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(own_postgres)
}

/// A server for one scenario, which may stop it.
pub fn own_postgres() -> PostgresServer {
    let addresses = format!("127.0.0.1,{}", cluster().host());
    PostgresServer::start(Version::V18, &Options::default().setting("listen_addresses", &addresses))
}

/// A MySQL or MariaDB for one scenario: its locks belong to the server, so that two scenarios would wait for each other.
pub fn own_mysql(flavour: Flavour) -> MysqlServer {
    let addresses = format!("127.0.0.1,{}", cluster().host());
    MysqlServer::start(flavour, &Options::default().setting("bind-address", &addresses))
}

/// The URL of a database as a pod has to write it.
pub fn url_for_pods(address: Address) -> String {
    address.host(cluster().host()).url()
}
