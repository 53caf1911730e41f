//! The way to a database, as a peer wants it written.

use std::path::{Path, PathBuf};

use crate::peer::{Kind, Target};

/// A database of a server.
pub(super) struct Server<'a> {
    pub(super) kind: Kind,
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    pub(super) database: &'a str,
    pub(super) authority: Option<&'a Path>,
}

/// Either of what a peer has to be led to.
pub(super) enum Way<'a> {
    Server(Server<'a>),
    File(&'a Path),
}

impl<'a> From<&'a Target> for Way<'a> {
    fn from(target: &'a Target) -> Self {
        match target {
            Target::File(path) => Self::File(path),
            Target::Server { kind, host, port, user, password, database, authority } => {
                Self::Server(Server {
                    kind: *kind,
                    host,
                    port: *port,
                    user,
                    password,
                    database,
                    authority: authority.as_ref().map(PathBuf::as_path),
                })
            }
        }
    }
}

impl Server<'_> {
    /// `scheme://user:password@host:port/database?parameters`.
    pub(super) fn url(&self, scheme: &str, parameters: &str) -> String {
        let (user, password) = (escaped(self.user), escaped(self.password));
        let (host, port, database) = (self.host, self.port, escaped(self.database));
        format!("{scheme}://{user}:{password}@{host}:{port}/{database}{}", query(parameters))
    }

    /// The URL of PostgreSQL that everybody understands who took libpq's parameters over.
    pub(super) fn postgres(&self) -> String {
        self.url("postgres", &self.libpq())
    }

    /// What libpq calls the ways to encrypt. The certificate is verified with the name in it.
    pub(super) fn libpq(&self) -> String {
        match self.authority {
            Some(authority) => format!("sslmode=verify-full&sslrootcert={}", authority.display()),
            None => "sslmode=disable".to_owned(),
        }
    }

    /// `user:password@tcp(host:port)/database?parameters`, which is how Go's driver for MySQL wants it.
    pub(super) fn go_mysql(&self, parameters: &str) -> String {
        let Self { user, password, host, port, database, .. } = self;
        format!("{user}:{password}@tcp({host}:{port})/{database}{}", query(parameters))
    }

    /// `scheme://host:port/database?parameters` behind `jdbc:`. User and password go beside it.
    pub(super) fn jdbc(&self) -> String {
        let (scheme, encryption) = match (self.kind, self.authority) {
            (Kind::Postgres, Some(authority)) => {
                ("postgresql", format!("sslmode=verify-full&sslrootcert={}", authority.display()))
            }
            (Kind::Postgres, None) => ("postgresql", "sslmode=disable".to_owned()),
            // `useSsl` is understood by the old driver in Flyway too, and verifies in both.
            (_, Some(authority)) => ("mariadb", format!("useSsl=true&serverSslCert={}", authority.display())),
            // Without TLS the driver asks a server only then for its key, with which it sends a password.
            (_, None) => ("mariadb", "sslMode=disable&allowPublicKeyRetrieval=true".to_owned()),
        };
        format!("jdbc:{scheme}://{}:{}/{}?{encryption}", self.host, self.port, self.database)
    }
}

fn query(parameters: &str) -> String {
    if parameters.is_empty() { String::new() } else { format!("?{parameters}") }
}

/// Everything but letters, digits and a few marks as `%XX`.
pub(super) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_are_escaped_in_urls() {
        assert_eq!(escaped("p@ss:w/%-_.9"), "p%40ss%3Aw%2F%25-_.9");
    }
}
