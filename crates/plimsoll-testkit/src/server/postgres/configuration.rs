//! How a PostgreSQL for tests is set up.

use std::fmt::Write as _;
use std::path::Path;

use crate::server::certificates::Certificates;
use crate::server::options::{Options, Tls};

/// `postgresql.conf`. Durability is off: a test's data need not outlive the machine.
pub(super) fn text(options: &Options, directory: &Path, port: u16, certificates: &Certificates) -> String {
    let mut text = String::from(
        "listen_addresses = '127.0.0.1'\nmax_connections = 200\nshared_buffers = '32MB'\nfsync = off\n\
         synchronous_commit = off\nfull_page_writes = off\nautovacuum = off\nlog_line_prefix = '%m [%p] %u@%d '\n",
    );
    let mut line = |name: &str, value: &str| {
        let value = value.replace('\'', "''");
        writeln!(text, "{name} = '{value}'").expect("a string takes every text");
    };
    line("port", &port.to_string());
    line("unix_socket_directories", &directory.display().to_string());
    if options.tls == Tls::Offered {
        line("ssl", "on");
        line("ssl_cert_file", &certificates.server().display().to_string());
        line("ssl_key_file", &certificates.server_key().display().to_string());
        line("ssl_ca_file", &certificates.authority().display().to_string());
    }
    options.settings.iter().for_each(|(name, value)| line(name, value));
    text
}
