//! The targets of PostgreSQL.

use plimsoll_core::url::PostgresUrl;
use plimsoll_core::url::postgres::Tls as TlsParameters;

use super::tls::Tls;
use crate::target::ServerUrl;

pub(super) type Target = crate::target::Target<PostgresUrl, Tls>;
pub(super) type Targets = crate::target::Targets<PostgresUrl, Tls>;

/// Reads the URL as it is at this moment.
pub type UrlSource = crate::target::UrlSource<PostgresUrl>;

impl ServerUrl for PostgresUrl {
    fn tls(&self) -> &TlsParameters {
        &self.tls
    }

    fn is_same_database(&self, other: &Self) -> bool {
        Self::is_same_database(self, other)
    }

    fn shown(&self) -> String {
        let schema = self.schema.as_ref().map(|schema| format!(", schema `{schema}`")).unwrap_or_default();
        format!("`{}` at `{}`{schema}", self.database, self.endpoint())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use plimsoll_core::url::DatabaseUrl;
    use plimsoll_core::{Provider, Secret};

    use super::*;
    use crate::error::{Kind, Result};
    use crate::target::FromParameters as _;

    fn url(parameters: &str) -> PostgresUrl {
        let text = Secret::new(format!("postgresql://u@h/d?{parameters}"));
        match DatabaseUrl::parse(Provider::Postgresql, &text, Path::new("/")) {
            Ok(DatabaseUrl::Postgres(url)) => *url,
            other => panic!("{other:?}"),
        }
    }

    /// The second target, of a URL with these parameters first and those then.
    fn moved(before: &str, after: &'static str) -> Result<Target> {
        let tls = Tls::new(&url("sslmode=disable").tls).expect("nothing has to be read");
        let first = Target { url: url(before), tls };
        Targets::fixed(first).read_from(Box::new(move || Ok(url(after)))).next()
    }

    #[test]
    fn what_the_file_says_about_tls_now_is_what_counts() {
        let error = moved("sslmode=disable", "sslmode=require&sslcert=nowhere.pem").err();
        let error = error.expect("the certificate that it names now is not there");
        assert_eq!(error.kind, Kind::NotYet);
        assert!(error.diagnostic.to_string().contains("/nowhere.pem"), "{}", error.diagnostic);
        assert!(moved("sslcert=nowhere.pem", "sslmode=disable").is_ok());
    }

    /// Loading the system's certificates takes longer than everything else.
    #[test]
    fn certificates_are_not_loaded_again_for_another_password_or_host() {
        let same = "sslcert=nowhere.pem";
        let target = moved(same, "sslcert=nowhere.pem&connect_timeout=7").expect("nothing is loaded");
        assert_eq!(target.url, url("sslcert=nowhere.pem&connect_timeout=7"));
    }
}
