//! Where to connect to, and as whom: once and for all, or as a file says at this moment.
//!
//! A password that is rotated reaches a pod's file up to about a minute after the server, or before it. Until both agree
//! the server refuses it, which is then no reason to give up.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use plimsoll_core::url::PostgresUrl;
use plimsoll_core::{Code, Diagnostic};

use super::tls::Tls;
use crate::error::{Error, Kind, Result};

/// Reads the URL as it is at this moment.
pub type UrlSource = Box<dyn Fn() -> std::result::Result<PostgresUrl, Diagnostic>>;

/// A URL and what its TLS parameters amount to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) url: PostgresUrl,
    pub(super) tls: Tls,
}

impl Target {
    /// Fails if a certificate file of the URL cannot be used.
    pub(super) fn new(url: PostgresUrl) -> std::result::Result<Self, Diagnostic> {
        let tls = Tls::new(&url.tls)?;
        Ok(Self { url, tls })
    }

    /// The same for another URL. The system's certificates are not loaded again.
    fn moved_to(&self, url: PostgresUrl) -> std::result::Result<Self, Diagnostic> {
        let tls = if url.tls == self.url.tls { self.tls.clone() } else { Tls::new(&url.tls)? };
        Ok(Self { url, tls })
    }
}

/// How long credentials that were refused are not tried again as long as they stay the same: a server may count, log or
/// slow down what fails.
const AGAIN: Duration = Duration::from_secs(5);

/// The target of each attempt to connect.
pub(super) struct Targets {
    last: RefCell<Target>,
    source: Option<UrlSource>,
    refused: RefCell<Option<Refusal>>,
    /// The database that has been reached. It stays the only one: what was read, planned and applied is about it.
    reached: RefCell<Option<PostgresUrl>>,
}

struct Refusal {
    url: PostgresUrl,
    at: Instant,
    error: Error,
}

impl Targets {
    /// Always the same one.
    pub(super) fn fixed(target: Target) -> Self {
        Self {
            last: RefCell::new(target),
            source: None,
            refused: RefCell::new(None),
            reached: RefCell::new(None),
        }
    }

    /// Read anew for each attempt.
    pub(super) fn read_from(self, source: UrlSource) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The target of the last attempt, which is from now on the only database, as in [`reached`](Self::reached).
    pub(super) fn settle(&self) -> Target {
        let target = self.last.borrow().clone();
        self.reached(&target.url);
        target
    }

    /// From now on the URL may change in its credentials and TLS, and no longer name another database.
    pub(super) fn reached(&self, url: &PostgresUrl) {
        self.reached.borrow_mut().get_or_insert_with(|| url.clone());
    }

    /// The target of this attempt. What cannot be read now may be readable at the next one.
    ///
    /// Fails for good if a database has been reached and this is another one.
    pub(super) fn next(&self) -> Result<Target> {
        let Some(source) = &self.source else { return Ok(self.last.borrow().clone()) };
        let not_yet = |diagnostic| Error::new(Kind::NotYet, diagnostic);
        let url = source().map_err(not_yet)?;
        if let Some(reached) = &*self.reached.borrow()
            && !url.is_same_database(reached)
        {
            return Err(Error::never(moved(reached, &url)));
        }
        let target = self.last.borrow().moved_to(url).map_err(not_yet)?;
        self.last.replace(target.clone());
        match &*self.refused.borrow() {
            Some(refusal) if refusal.url == target.url && refusal.at.elapsed() < AGAIN => {
                Err(refusal.error.clone())
            }
            _ => Ok(target),
        }
    }

    /// What an attempt that failed means: refused credentials are waited for if they can change.
    pub(super) fn failed(&self, url: PostgresUrl, error: Error) -> Error {
        if self.source.is_none() || error.diagnostic.code != Code::AuthenticationFailed {
            return error;
        }
        let diagnostic = error.diagnostic.help(
            "the file of the URL was read again on each try: a Secret that is rotated can take more than a minute to \
             arrive in a pod, so wait longer with `--wait`",
        );
        let error = Error::new(Kind::NotYet, diagnostic);
        self.refused.replace(Some(Refusal { url, at: Instant::now(), error: error.clone() }));
        error
    }
}

fn moved(from: &PostgresUrl, to: &PostgresUrl) -> Diagnostic {
    let message = format!(
        "the URL in the file names another database now: {}, and no longer {}; nothing was done there",
        shown(to),
        shown(from)
    );
    Diagnostic::new(Code::UrlMoved, message)
        .help("the next start works on the database that the file names then, and on no other")
        .help("look at both: what this run had applied is in the first one")
}

fn shown(url: &PostgresUrl) -> String {
    let schema = url.schema.as_ref().map(|schema| format!(", schema `{schema}`")).unwrap_or_default();
    format!("`{}` at `{}`{schema}", url.database, url.endpoint())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use plimsoll_core::url::DatabaseUrl;
    use plimsoll_core::{Provider, Secret};

    use super::*;

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
