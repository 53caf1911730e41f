//! Connection URLs of the test servers.

use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use plimsoll_core::Secret;

use crate::server::Role;

/// The way to one database, for one role. It has no `Debug`: a URL may hold a password.
#[derive(Clone)]
pub struct Address {
    role: Role,
    password: Option<Secret>,
    host: String,
    port: u16,
    socket_directory: PathBuf,
    database: String,
    parameters: Vec<(String, String)>,
}

impl Address {
    pub(crate) fn new(port: u16, socket_directory: &Path, database: &str) -> Self {
        Self {
            role: Role::Superuser,
            password: Role::Superuser.password().map(Secret::new),
            host: "127.0.0.1".into(),
            port,
            socket_directory: socket_directory.to_owned(),
            database: database.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The same for another role, with that role's password.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self.password = role.password().map(Secret::new);
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
        let directory = self.socket_directory.display().to_string();
        self.host("localhost").parameter("host", &directory)
    }

    /// The URL, with the password in it.
    pub fn url(&self) -> String {
        let user = encoded(self.role.name());
        let password =
            self.password.as_ref().map_or_else(String::new, |it| format!(":{}", encoded(it.expose())));
        let database = encoded(&self.database);
        let parameters: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        let parameters = parameters.join("&");
        format!("postgresql://{user}{password}@{}:{}/{database}{mark}{parameters}", self.host, self.port)
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
            Address::new(5432, Path::new("/run/x"), "a \"b").role(Role::Odd).parameter("schema", "s&t");
        let url = address.url();
        assert!(
            url.starts_with("postgresql://odd%40user:hush%3Ap%40ss%2Fw%25rd%3F%23%264d7e@127.0.0.1:5432/")
        );
        assert!(url.ends_with("/a%20%22b?schema=s%26t"));
    }

    #[test]
    fn the_socket_is_a_parameter() {
        let url = Address::new(5432, Path::new("/run/x"), "d").role(Role::Trusted).socket().url();
        assert_eq!(url, "postgresql://trusted@localhost:5432/d?host=%2Frun%2Fx");
    }
}
