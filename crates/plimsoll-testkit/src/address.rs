//! Connection URLs of the test servers.

use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use plimsoll_core::Secret;

use crate::server::{Login, Role};

/// The way to one database, for one role. It has no `Debug`: a URL may hold a password.
#[derive(Clone)]
pub struct Address {
    scheme: &'static str,
    user: String,
    password: Option<Secret>,
    host: String,
    port: u16,
    /// The parameter that leads through the socket, and its value.
    socket: (&'static str, PathBuf),
    database: String,
    parameters: Vec<(String, String)>,
}

impl Address {
    /// To a PostgreSQL, whose sockets lie in a directory.
    pub(crate) fn postgres(port: u16, socket_directory: &Path, database: &str) -> Self {
        Self::new("postgresql", port, ("host", socket_directory), database).role(Role::Superuser)
    }

    /// To a MySQL or MariaDB, whose socket is a file.
    pub(crate) fn mysql(port: u16, socket: &Path, database: &str) -> Self {
        Self::new("mysql", port, ("socket", socket), database).login(Login::Root)
    }

    fn new(scheme: &'static str, port: u16, socket: (&'static str, &Path), database: &str) -> Self {
        Self {
            scheme,
            user: String::new(),
            password: None,
            host: "127.0.0.1".into(),
            port,
            socket: (socket.0, socket.1.to_owned()),
            database: database.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The same for another role of PostgreSQL, with that role's password.
    #[must_use]
    pub fn role(self, role: Role) -> Self {
        self.user(role.name(), role.password())
    }

    /// The same for another user of MySQL or MariaDB, with that user's password.
    #[must_use]
    pub fn login(self, login: Login) -> Self {
        self.user(login.name(), login.password())
    }

    /// The same for a user that a test has made.
    #[must_use]
    pub fn user(mut self, name: &str, password: Option<&str>) -> Self {
        name.clone_into(&mut self.user);
        self.password = password.map(Secret::new);
        self
    }

    /// The same with a password that may be wrong.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(Secret::new(password));
        self
    }

    /// The same under another name of the host.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// The same through another port, such as that of a proxy.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same with one more parameter, which is percent-encoded.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same through the Unix socket.
    #[must_use]
    pub fn socket(self) -> Self {
        let (parameter, path) = self.socket.clone();
        self.host("localhost").parameter(parameter, &path.display().to_string())
    }

    /// The URL, with the password in it.
    pub fn url(&self) -> String {
        let user = encoded(&self.user);
        let password =
            self.password.as_ref().map_or_else(String::new, |it| format!(":{}", encoded(it.expose())));
        let database = encoded(&self.database);
        let parameters: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        let parameters = parameters.join("&");
        let (scheme, host, port) = (self.scheme, &self.host, self.port);
        format!("{scheme}://{user}{password}@{host}:{port}/{database}{mark}{parameters}")
    }
}

fn encoded(text: &str) -> String {
    // These need no escape, and a URL that people can read makes better snapshots.
    const SET: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    utf8_percent_encode(text, SET).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_are_escaped() {
        let address =
            Address::postgres(5432, Path::new("/run/x"), "a \"b").role(Role::Odd).parameter("schema", "s&t");
        let url = address.url();
        assert!(
            url.starts_with("postgresql://odd%40user:hush%3Ap%40ss%2Fw%25rd%3F%23%264d7e@127.0.0.1:5432/")
        );
        assert!(url.ends_with("/a%20%22b?schema=s%26t"));
    }

    #[test]
    fn the_socket_is_a_parameter() {
        let url = Address::postgres(5432, Path::new("/run/x"), "d").role(Role::Trusted).socket().url();
        assert_eq!(url, "postgresql://trusted@localhost:5432/d?host=%2Frun%2Fx");
    }

    #[test]
    fn a_url_of_mysql_has_its_own_scheme_and_socket() {
        let address = Address::mysql(3306, Path::new("/run/x.sock"), "d").login(Login::Passwordless);
        assert_eq!(address.url(), "mysql://passwordless@127.0.0.1:3306/d");
        assert_eq!(address.socket().url(), "mysql://passwordless@localhost:3306/d?socket=%2Frun%2Fx.sock");
    }
}
