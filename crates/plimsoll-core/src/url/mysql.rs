//! `mysql://` URLs, for MySQL and MariaDB.

use std::path::Path;

use super::parameters::Parameters;
use super::parts::{self, decode};
pub use super::tls::{Tls, TlsMode, Verify};
use super::{invalid, wrong_protocol};
use crate::diagnostic::Diagnostic;
use crate::secret::Secret;

/// How to reach a database of MySQL or MariaDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MysqlUrl {
    /// A host name or address.
    pub host: String,
    /// The port; 3306 if the URL names none.
    pub port: u16,
    /// Whether the URL itself names a port, which is how Prisma prints the address.
    port_given: bool,
    /// `socket`: the path of a Unix socket, which is used instead of host and port.
    pub socket: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The database; `mysql`, which is none to migrate, if the URL names none, as in Prisma.
    pub database: String,
    /// Everything about TLS; its mode is never [`TlsMode::Prefer`].
    pub tls: Tls,
    /// `connect_timeout` in seconds: 5 if it is not given, none if it is 0.
    pub connect_timeout: Option<u32>,
    /// `socket_timeout` in seconds: how long a statement may take.
    pub statement_timeout: Option<u32>,
    /// Parameters that mean nothing to a migration.
    pub unused: Vec<String>,
}

/// How parameters begin that concern TLS or who is trusted, in other clients of these servers.
const DANGEROUS: &[&str] = &["ssl", "tls", "auth", "verify", "require_ssl"];

/// Parameters of other clients that change who is trusted, or which server is meant. To leave one out would be wrong.
const REFUSED: &[&str] = &["user", "password", "host", "port", "database", "enable_cleartext_plugin"];

impl MysqlUrl {
    pub(super) fn parse(url: &Secret, base: &Path) -> Result<Self, Diagnostic> {
        let text = url.expose();
        if !text.starts_with("mysql://") {
            let wrong = wrong_protocol("`mysql://`");
            return Err(if text.starts_with("mariadb://") {
                wrong.help("`mysql://` is the word for MariaDB too: Prisma knows no `mariadb://`")
            } else {
                wrong
            });
        }
        // The protocol ends its texts with it.
        if text.contains("%00") || text.contains('\0') {
            return Err(invalid("there is a NUL character (`%00`) in it, which MySQL cannot take"));
        }
        Self::from_url(&parts::parse(text)?, base)
    }

    fn from_url(url: &url::Url, base: &Path) -> Result<Self, Diagnostic> {
        let mut parameters = Parameters::parse(url.query().unwrap_or_default());
        let tls = Tls::take_of_mysql(&mut parameters, base)?;
        // A wish for speed, which `socket` fulfils: the driver would otherwise look for the server's socket here.
        parameters.take("prefer_socket");
        let mut found = Self {
            host: parts::host(url)?,
            port: url.port().unwrap_or(3306),
            port_given: url.port().is_some(),
            socket: parameters.take("socket").map(|path| bare(&path)).filter(|path| !path.is_empty()),
            user: Some(decode(url.username(), "user")?).filter(|user| !user.is_empty()),
            password: url.password().map(|text| decode(text, "password").map(Secret::new)).transpose()?,
            database: parts::database(url)?.unwrap_or_else(|| "mysql".to_owned()),
            tls,
            connect_timeout: parameters.take_connect_timeout()?,
            statement_timeout: parameters.take_socket_timeout()?,
            unused: Vec::new(),
        };
        found.unused = parameters.unused(DANGEROUS, REFUSED)?;
        Ok(found)
    }

    /// The address as Prisma prints it in its `Datasource` line.
    pub(super) fn address(&self) -> String {
        match &self.socket {
            Some(path) => format!("unix:{path}"),
            None if self.port_given => self.endpoint(),
            None => self.host.clone(),
        }
    }

    /// Whether both mean the same tables, as far as a URL can tell. Credentials, TLS and time limits do not matter.
    pub fn is_same_database(&self, other: &Self) -> bool {
        let place = |url: &Self| (url.host.clone(), url.port, url.socket.clone(), url.database.clone());
        place(self) == place(other)
    }

    /// Host and port, or the socket, for messages.
    pub fn endpoint(&self) -> String {
        match &self.socket {
            Some(path) => path.clone(),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether the database is one of the server's own, which nobody migrates.
    pub fn is_system_database(&self) -> bool {
        ["mysql", "information_schema", "performance_schema", "sys"]
            .iter()
            .any(|name| self.database.eq_ignore_ascii_case(name))
    }
}

/// A path without the parentheses that some put around it, so that its slashes need no percent-encoding.
fn bare(path: &str) -> String {
    path.trim_start_matches('(').trim_end_matches(')').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;
    use proptest::prelude::*;

    fn parse(url: &str) -> Result<MysqlUrl, Diagnostic> {
        MysqlUrl::parse(&Secret::new(url), Path::new("/base"))
    }

    #[test]
    fn the_parts_are_decoded() {
        let url = parse("mysql://a%40b:p%2Fw@[::1]:3307/my%20db").unwrap();
        assert_eq!((url.user.as_deref(), url.host.as_str(), url.port), (Some("a@b"), "::1", 3307));
        assert_eq!((url.password.unwrap().expose(), url.database.as_str()), ("p/w", "my db"));
    }

    #[test]
    fn what_is_not_given_has_prismas_defaults() {
        let url = parse("mysql://h/d").unwrap();
        assert_eq!((url.port, url.connect_timeout, url.statement_timeout), (3306, Some(5), None));
        assert_eq!(
            (url.tls.mode, url.tls.verify, url.user.as_ref()),
            (TlsMode::Disable, Verify::Nothing, None)
        );
        assert_eq!((url.address(), url.endpoint()), ("h".to_owned(), "h:3306".to_owned()));
        assert_eq!(parse("mysql://h/d?connect_timeout=0").unwrap().connect_timeout, None);
    }

    #[test]
    fn a_server_has_databases_of_its_own() {
        let is_system = |url: &str| parse(url).unwrap().is_system_database();
        for url in
            ["mysql://h", "mysql://h/", "mysql://h/mysql", "mysql://h/Sys", "mysql://h/information_schema"]
        {
            assert!(is_system(url), "{url}");
        }
        assert!(!is_system("mysql://h/mysql2"));
    }

    #[test]
    fn a_socket_replaces_host_and_port() {
        for socket in ["/run/m.sock", "(/run/m.sock)", "%2Frun%2Fm.sock"] {
            let url = parse(&format!("mysql://u@localhost/d?socket={socket}&prefer_socket=true")).unwrap();
            assert_eq!(url.socket.as_deref(), Some("/run/m.sock"));
            assert_eq!(
                (url.address().as_str(), url.endpoint().as_str()),
                ("unix:/run/m.sock", "/run/m.sock")
            );
            assert!(url.unused.is_empty());
        }
    }

    #[test]
    fn what_would_weaken_security_is_refused_by_name() {
        for name in ["sslkey", "tls-version", "verify_ca", "enable_cleartext_plugin", "user"] {
            let error = parse(&format!("mysql://u:hunter2@h/d?{name}=x")).unwrap_err();
            assert_eq!(error.code, Code::ParameterUnsupported);
            assert!(error.message.contains(name), "{error}");
        }
        assert_eq!(parse("mysql://h/d?foo=1&connection_limit=5&pool_timeout=1").unwrap().unused, ["foo"]);
    }

    #[test]
    fn every_wrong_value_is_an_error_that_names_its_parameter() {
        let shown = [
            "mariadb://h/d",
            "postgres://h/d",
            "",
            "mysql://u:hunter2@h:port/d",
            "mysql://h/d?connect_timeout=soon",
            "mysql://h/d?statement_cache_size=big",
            "mysql://h/d?ssl=maybe",
            "mysql://u:hunter2%00@h/d",
            "mysql://u:hun@ter2@h/d@e",
        ]
        .map(|url| parse(url).unwrap_err().to_string());
        insta::assert_snapshot!(shown.join("\n"), @r"
        P1012: Error validating datasource: the URL must start with the protocol `mysql://`.
        P1012: Error validating datasource: the URL must start with the protocol `mysql://`.
        P1012: Error validating datasource: the URL must start with the protocol `mysql://`.
        P1013: The provided database string is invalid: invalid port number in database URL
        P1013: The provided database string is invalid: the parameter `connect_timeout` is not a number
        P1013: The provided database string is invalid: the parameter `statement_cache_size` is not a number
        P1013: The provided database string is invalid: `ssl` is no word for TLS: use `sslaccept`
        P1013: The provided database string is invalid: there is a NUL character (`%00`) in it, which MySQL cannot take
        P1013: The provided database string is invalid: there is an `@` behind the host
        ");
        assert!(parse("mariadb://h/d").unwrap_err().help.concat().contains("MariaDB too"));
    }

    #[test]
    fn another_password_is_the_same_database_and_another_place_is_not() {
        let url = |text: &str| parse(text).unwrap();
        let first = url("mysql://u:p@h/d");
        for same in ["mysql://v:q@h:3306/d?sslaccept=strict", "mysql://h/d?connect_timeout=9"] {
            assert!(first.is_same_database(&url(same)), "{same}");
        }
        for other in ["g/d", "h:3307/d", "h/e", "h/d?socket=/run/m.sock"] {
            assert!(!first.is_same_database(&url(&format!("mysql://u:p@{other}"))), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(mysql://)?[ -~]{0,60}|\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn no_password_is_ever_printed(
            password in "hunter2[a-z#/@:?%&=\\[\\] ]{0,8}", port in "[0-9]{0,6}|x", query in "[a-z_]{0,9}=[a-z0-9]{0,5}"
        ) {
            let shown = format!("{:?}", parse(&format!("mysql://user:{password}@host:{port}/db?{query}")));
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
