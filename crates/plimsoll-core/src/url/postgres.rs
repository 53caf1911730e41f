//! `postgresql://` URLs.

use std::borrow::Cow;
use std::path::Path;

use base64::Engine as _;

use super::parameters::Parameters;
use super::parts::{self, decode};
pub use super::tls::{Tls, TlsMode, Verify};
use super::{invalid, wrong_protocol};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::secret::Secret;

/// How to reach a PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresUrl {
    /// A host name or address, or the directory of a Unix socket if it begins with `/`.
    pub host: String,
    /// The port; 5432 if the URL names none.
    pub port: u16,
    /// Whether the URL itself names a port, which is how Prisma prints the address.
    port_given: bool,
    /// The role.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The database; `postgres` if the URL names none.
    pub database: String,
    /// `schema`: where the tables are. It becomes the connection's `search_path`.
    pub schema: Option<String>,
    /// Everything about TLS.
    pub tls: Tls,
    /// What `pgbouncer` says of a pooler before the server.
    pub pooler: Pooler,
    /// `connect_timeout` in seconds: 5 if it is not given, none if it is 0.
    pub connect_timeout: Option<u32>,
    /// `socket_timeout` in seconds; used as the server's `statement_timeout`.
    pub statement_timeout: Option<u32>,
    /// `application_name`.
    pub application_name: Option<String>,
    /// `options`: settings for the server, in the form of its command line.
    pub options: Option<String>,
    /// `channel_binding`.
    pub channel_binding: ChannelBinding,
    /// Parameters that mean nothing to a migration.
    pub unused: Vec<String>,
}

/// Whether the password exchange is bound to the TLS channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// If both sides can.
    #[default]
    Prefer,
    /// Always.
    Require,
}

/// What a URL says of a pooler between the runner and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing: whether there is one is found out.
    #[default]
    Unsaid,
    /// `pgbouncer=true`: there is one, which may hand the connection on after each transaction.
    Announced,
}

/// Parameters of Prisma's that a migration needs no word about.
const OF_POOLERS: &[&str] = &["pgbouncer", "single_use_connections"];

/// How parameters begin that concern TLS or who is trusted, in libpq and others.
const DANGEROUS: &[&str] = &["ssl", "tls", "gss", "krb", "scram", "auth"];

/// Parameters of libpq and others that change who is trusted, or which server is meant. To leave one out would be wrong.
const REFUSED: &[&str] = &[
    "hostaddr",
    "passfile",
    "service",
    "require_auth",
    "target_session_attrs",
    "requirepeer",
    "user",
    "password",
    "dbname",
];

impl PostgresUrl {
    pub(super) fn parse(url: &Secret, base: &Path) -> Result<Self, Diagnostic> {
        const PROTOCOLS: &str = "`postgresql://` or `postgres://`";
        let text = match url.expose().strip_prefix("prisma+postgres://") {
            Some(rest) => Cow::Owned(local_prisma_postgres(rest)?),
            None => Cow::Borrowed(url.expose()),
        };
        if text.starts_with("prisma://") {
            return Err(remote_prisma_postgres());
        }
        if !text.starts_with("postgresql://") && !text.starts_with("postgres://") {
            return Err(wrong_protocol(PROTOCOLS));
        }
        // The protocol ends its texts with it: the server would close a connection that no waiting mends.
        if text.contains("%00") || text.contains('\0') {
            return Err(invalid("there is a NUL character (`%00`) in it, which PostgreSQL cannot take"));
        }
        Self::from_url(&parts::parse(&text)?, base)
    }

    fn from_url(url: &url::Url, base: &Path) -> Result<Self, Diagnostic> {
        let mut parameters = Parameters::parse(url.query().unwrap_or_default());
        let tls = Tls::take(&mut parameters, base)?;
        let pooler = if parameters.take_flag("pgbouncer") { Pooler::Announced } else { Pooler::Unsaid };
        let host = parameters.take("host").map_or_else(|| parts::host(url), Ok)?;
        let mut found = Self {
            host,
            port: url.port().unwrap_or(5432),
            port_given: url.port().is_some(),
            user: Some(decode(url.username(), "user")?).filter(|user| !user.is_empty()),
            password: url.password().map(|text| decode(text, "password").map(Secret::new)).transpose()?,
            database: parts::database(url)?.unwrap_or_else(|| "postgres".to_owned()),
            schema: parameters.take("schema").filter(|schema| !schema.is_empty()),
            tls,
            pooler,
            connect_timeout: parameters.take_connect_timeout()?,
            statement_timeout: parameters.take_socket_timeout()?,
            application_name: parameters.take("application_name"),
            options: parameters.take("options"),
            channel_binding: ChannelBinding::take(&mut parameters)?,
            unused: Vec::new(),
        };
        found.unused = parameters.unused(DANGEROUS, REFUSED)?;
        found.unused.retain(|name| !OF_POOLERS.contains(&name.to_ascii_lowercase().as_str()));
        Ok(found)
    }

    /// The address as Prisma prints it in its `Datasource` line.
    pub(super) fn address(&self) -> String {
        if self.host.starts_with('/') || !self.port_given { self.host.clone() } else { self.endpoint() }
    }

    /// Whether both mean the same tables, as far as a URL can tell: host, port, database, schema and `options`, which may
    /// hold a search path. Credentials, TLS and time limits do not matter.
    pub fn is_same_database(&self, other: &Self) -> bool {
        let place = |url: &Self| {
            (url.host.clone(), url.port, url.database.clone(), url.schema.clone(), url.options.clone())
        };
        place(self) == place(other)
    }

    /// Host and port, as Prisma prints them in errors.
    pub fn endpoint(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl ChannelBinding {
    fn take(parameters: &mut Parameters) -> Result<Self, Diagnostic> {
        match parameters.take("channel_binding").as_deref() {
            None | Some("prefer") => Ok(Self::Prefer),
            Some("disable") => Ok(Self::Disable),
            Some("require") => Ok(Self::Require),
            Some(_) => Err(invalid("`channel_binding` is none of disable, prefer, require")),
        }
    }
}

fn remote_prisma_postgres() -> Diagnostic {
    Diagnostic::new(
        Code::ParameterUnsupported,
        "a `prisma://` or remote `prisma+postgres://` URL speaks a protocol of Prisma's own",
    )
    .help("use the direct `postgres://` address that the Prisma console shows for this database")
}

/// The URL of the database behind `prisma dev`, which its API key holds.
fn local_prisma_postgres(rest: &str) -> Result<String, Diagnostic> {
    let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| rest.starts_with(host));
    if !local {
        return Err(remote_prisma_postgres());
    }
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let key = Parameters::parse(query).take("api_key");
    let json = key.and_then(|key| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).ok()
    });
    let value = json.and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
    let url = value.and_then(|value| Some(value.get("databaseUrl")?.as_str()?.to_owned()));
    url.ok_or_else(|| invalid("its `api_key` does not hold the address of a local database"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(url: &str) -> Result<PostgresUrl, Diagnostic> {
        PostgresUrl::parse(&Secret::new(url), Path::new("/base"))
    }

    fn error(url: &str) -> String {
        parse(url).unwrap_err().to_string()
    }

    #[test]
    fn the_parts_are_decoded() {
        let url = parse("postgresql://a%40b:p%2Fw@[::1]:5433/my%20db?schema=x%22y").unwrap();
        assert_eq!((url.user.as_deref(), url.host.as_str(), url.port), (Some("a@b"), "::1", 5433));
        assert_eq!(url.password.unwrap().expose(), "p/w");
        assert_eq!((url.database.as_str(), url.schema.as_deref()), ("my db", Some("x\"y")));
    }

    #[test]
    fn what_is_not_given_has_prismas_defaults() {
        let url = parse("postgres://h").unwrap();
        assert_eq!((url.port, url.database.as_str(), url.connect_timeout), (5432, "postgres", Some(5)));
        assert_eq!((url.tls.mode, url.tls.verify), (TlsMode::Prefer, Verify::Nothing));
        assert_eq!((url.address(), url.endpoint()), ("h".to_owned(), "h:5432".to_owned()));
        assert_eq!(parse("postgres://h?connect_timeout=0").unwrap().connect_timeout, None);
    }

    #[test]
    fn a_socket_directory_replaces_the_host() {
        let url = parse("postgresql://u@localhost/d?host=/run/postgresql").unwrap();
        assert_eq!((url.host.as_str(), url.address().as_str()), ("/run/postgresql", "/run/postgresql"));
    }

    #[test]
    fn what_would_weaken_security_is_refused_by_name() {
        for name in ["sslkey", "sslcrl", "gssencmode", "require_auth", "hostaddr"] {
            let error = parse(&format!("postgres://u:hunter2@h/d?{name}=x")).unwrap_err();
            assert_eq!(error.code, Code::ParameterUnsupported);
            assert!(error.message.contains(name), "{error}");
        }
        assert_eq!(parse("postgres://h?foo=1&connection_limit=5").unwrap().unused, ["foo"]);
    }

    #[test]
    fn a_pooler_is_announced_by_the_parameter_that_prisma_has_for_it() {
        for (parameters, pooler) in [
            ("pgbouncer=true", Pooler::Announced),
            ("pgbouncer=true&connection_limit=1", Pooler::Announced),
            ("pgbouncer=false", Pooler::Unsaid),
            ("schema=s", Pooler::Unsaid),
        ] {
            let url = parse(&format!("postgres://h/d?{parameters}")).unwrap();
            assert_eq!((url.pooler, url.unused), (pooler, Vec::new()), "{parameters}");
        }
    }

    #[test]
    fn every_wrong_value_is_an_error_that_names_its_parameter() {
        let shown = [
            "mysql://h/d",
            "",
            "postgres://u:hunter2@h:port/d",
            "postgres://h/d?connect_timeout=soon",
            "postgres://h/d?sslmode=yes",
            "postgres://h/d?channel_binding=yes",
            "postgres://h/d?application_name=x%00",
            "postgres://u:hunter2%00@h/d",
            "prisma+postgres://accelerate.example/?api_key=abc",
            "prisma+postgres://localhost:51213/?api_key=abc",
        ]
        .map(error);
        insta::assert_snapshot!(shown.join("\n"), @r"
        P1012: Error validating datasource: the URL must start with the protocol `postgresql://` or `postgres://`.
        P1012: Error validating datasource: the URL must start with the protocol `postgresql://` or `postgres://`.
        P1013: The provided database string is invalid: invalid port number in database URL
        P1013: The provided database string is invalid: the parameter `connect_timeout` is not a number
        P1013: The provided database string is invalid: `sslmode` is none of disable, prefer, require, verify-ca, verify-full
        P1013: The provided database string is invalid: `channel_binding` is none of disable, prefer, require
        P1013: The provided database string is invalid: there is a NUL character (`%00`) in it, which PostgreSQL cannot take
        P1013: The provided database string is invalid: there is a NUL character (`%00`) in it, which PostgreSQL cannot take
        PLM106: a `prisma://` or remote `prisma+postgres://` URL speaks a protocol of Prisma's own
        P1013: The provided database string is invalid: its `api_key` does not hold the address of a local database
        ");
    }

    #[test]
    fn another_password_is_the_same_database_and_another_place_is_not() {
        let url = |text: &str| parse(text).unwrap();
        let first = url("postgres://u:p@h/d?schema=s");
        for same in
            ["postgres://v:q@h:5432/d?schema=s&sslmode=require", "postgres://h/d?schema=s&connect_timeout=9"]
        {
            assert!(first.is_same_database(&url(same)), "{same}");
        }
        for other in [
            "g/d?schema=s",
            "h:5433/d?schema=s",
            "h/e?schema=s",
            "h/d",
            "h/d?schema=s&options=-c%20search_path=x",
        ] {
            assert!(!first.is_same_database(&url(&format!("postgres://u:p@{other}"))), "{other}");
        }
    }

    #[test]
    fn the_api_key_of_prisma_dev_holds_the_address() {
        let key = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(r#"{"databaseUrl":"postgres://u:p@localhost:51214/t"}"#);
        let url = parse(&format!("prisma+postgres://localhost:51213/?api_key={key}")).unwrap();
        assert_eq!((url.port, url.database.as_str()), (51214, "t"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(postgres(ql)?://)?[ -~]{0,60}|\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn no_password_is_ever_printed(
            password in "hunter2[a-z#/@:?%&=\\[\\] ]{0,8}", port in "[0-9]{0,6}|x", query in "[a-z_]{0,9}=[a-z0-9]{0,5}"
        ) {
            let shown = format!("{:?}", parse(&format!("postgresql://user:{password}@host:{port}/db?{query}")));
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
