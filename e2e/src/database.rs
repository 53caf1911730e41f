//! PostgreSQL on this machine, where pods can reach it.

use std::sync::OnceLock;

use plimsoll_testkit::address::Address;
use plimsoll_testkit::server::{Options, PostgresServer, Version};

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

/// The URL of a database as a pod has to write it.
pub fn url_for_pods(address: Address) -> String {
    address.host(cluster().host()).url()
}
