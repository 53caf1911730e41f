//! Connection URLs as Prisma writes them.

pub mod mysql;
mod parameters;
mod parts;
pub mod postgres;
pub mod sqlite;
pub mod tls;

use std::path::Path;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::provider::Provider;
use crate::secret::Secret;

pub use mysql::MysqlUrl;
pub use postgres::PostgresUrl;
pub use sqlite::SqliteUrl;

/// A connection URL that has been understood.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// `postgresql://…`
    Postgres(Box<PostgresUrl>),
    /// `mysql://…`, which is also MariaDB's.
    Mysql(Box<MysqlUrl>),
    /// `file:…`
    Sqlite(SqliteUrl),
}

impl DatabaseUrl {
    /// Understands a URL for this provider.
    ///
    /// Relative paths in it (SQLite's file, certificates) are taken from `base`. No error holds any part of the URL but
    /// the names of parameters and the values of those that cannot be secret.
    pub fn parse(provider: Provider, url: &Secret, base: &Path) -> Result<Self, Diagnostic> {
        match provider {
            Provider::Postgresql => PostgresUrl::parse(url, base).map(|url| Self::Postgres(Box::new(url))),
            Provider::Mysql => MysqlUrl::parse(url, base).map(|url| Self::Mysql(Box::new(url))),
            Provider::Sqlite => SqliteUrl::parse(url, base).map(Self::Sqlite),
            other => Err(unsupported(other)),
        }
    }

    /// The name of the database: the last part of the path.
    pub fn database(&self) -> &str {
        match self {
            Self::Postgres(url) => &url.database,
            Self::Mysql(url) => &url.database,
            Self::Sqlite(url) => url.name(),
        }
    }

    /// The password, if there is one that is a secret: not the same as a name that stands in the same URL, which has to be shown.
    pub fn secret(&self) -> Option<&Secret> {
        let (password, names) = match self {
            Self::Postgres(url) => {
                (url.password.as_ref()?, [url.user.as_deref(), Some(&url.database), Some(&url.host)])
            }
            Self::Mysql(url) => {
                (url.password.as_ref()?, [url.user.as_deref(), Some(&url.database), Some(&url.host)])
            }
            Self::Sqlite(_) => return None,
        };
        let is_shown = names.into_iter().flatten().any(|name| name.contains(password.expose()));
        (!is_shown).then_some(password)
    }

    /// Where the database is, as Prisma prints it: `host:port`, or `file:./dev.db`.
    pub fn address(&self) -> String {
        match self {
            Self::Postgres(url) => url.address(),
            Self::Mysql(url) => url.address(),
            Self::Sqlite(url) => url.shown().to_owned(),
        }
    }

    /// Parameters that have no meaning for a migration and are not used.
    pub fn unused(&self) -> &[String] {
        match self {
            Self::Postgres(url) => &url.unused,
            Self::Mysql(url) => &url.unused,
            Self::Sqlite(url) => &url.unused,
        }
    }
}

fn unsupported(provider: Provider) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::ProviderUnsupported,
        format!("{provider} is not supported by this version of Plimsoll"),
    );
    match provider {
        Provider::Mongodb => diagnostic.help("MongoDB has no SQL migrations: there is nothing to deploy"),
        _ => diagnostic.help("use `prisma migrate deploy` for this database"),
    }
}

/// What Prisma says of a URL with another scheme than its provider's.
fn wrong_protocol(expected: &str) -> Diagnostic {
    Diagnostic::new(
        Code::SchemaInvalid,
        format!("Error validating datasource: the URL must start with the protocol {expected}."),
    )
    .help("the value may be empty, quoted twice, or meant for another provider")
}

fn invalid(why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(Code::UrlInvalid, format!("The provided database string is invalid: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_not_encoded_does_not_become_another_part_of_the_url() {
        for (provider, scheme) in [(Provider::Postgresql, "postgres"), (Provider::Mysql, "mysql")] {
            for password in [
                "12345#hunter2",
                "12345?hunter2",
                "12345/hunter2",
                "12345?a&hunter2",
                "12345?a=b",
                "hunter2#",
            ] {
                let url = Secret::new(format!("{scheme}://u:{password}@h/d"));
                let error = DatabaseUrl::parse(provider, &url, Path::new("/")).unwrap_err();
                let text = format!("{error:?}");
                assert!(!text.contains("12345") && !text.contains("hunter2"), "{text}");
            }
        }
    }

    #[test]
    fn a_password_that_is_also_a_name_is_no_secret() {
        let secret = |url: &str| {
            let url = DatabaseUrl::parse(Provider::Postgresql, &Secret::new(url), Path::new("/")).unwrap();
            url.secret().map(|it| it.expose().to_owned())
        };
        assert_eq!(secret("postgres://u:hunt%40r2@h/d").as_deref(), Some("hunt@r2"));
        assert_eq!(secret("postgres://postgres:postgres@h/d"), None);
        assert_eq!(secret("postgres://u:@h/d"), None);
        assert_eq!(secret("postgres://u@h/d"), None);
    }

    #[test]
    fn a_kind_of_database_that_is_not_migrated_is_named() {
        for provider in [Provider::Cockroachdb, Provider::Sqlserver, Provider::Mongodb] {
            let error =
                DatabaseUrl::parse(provider, &Secret::new("x://u:hunter2@h/d"), Path::new("/")).unwrap_err();
            assert_eq!(error.code, Code::ProviderUnsupported);
            assert!(error.message.contains(provider.display_name()) && !error.help.is_empty(), "{error}");
        }
    }
}
