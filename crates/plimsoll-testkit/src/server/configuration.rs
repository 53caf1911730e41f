//! How a test server is set up.

use std::fmt::Write as _;
use std::path::Path;

use super::certificates::Certificates;

/// Whether a server offers TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// It offers TLS to those who ask, with a certificate of its own authority.
    #[default]
    Offered,
    /// It answers that it has none.
    Absent,
}

/// What is special about a server of your own.
#[derive(Clone, Debug, Default)]
pub struct Options {
    tls: Tls,
    settings: Vec<(String, String)>,
}

impl Options {
    /// The same, with or without TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The same, with one more line of `postgresql.conf`. Later ones win.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `postgresql.conf`. Durability is off: a test's data need not outlive the machine.
    pub(super) fn text(&self, directory: &Path, port: u16, certificates: &Certificates) -> String {
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
        if self.tls == Tls::Offered {
            line("ssl", "on");
            line("ssl_cert_file", &certificates.server().display().to_string());
            line("ssl_key_file", &certificates.server_key().display().to_string());
            line("ssl_ca_file", &certificates.authority().display().to_string());
        }
        self.settings.iter().for_each(|(name, value)| line(name, value));
        text
    }
}
