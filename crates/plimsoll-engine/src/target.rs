//! Where to connect to, and as whom: once and for all, or as a file says at this moment.
//!
//! A password that is rotated reaches a pod's file up to about a minute after the server, or before it. Until both agree
//! the server refuses it, which is then no reason to give up.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use plimsoll_core::url::tls::Tls as TlsParameters;
use plimsoll_core::{Code, Diagnostic};

use crate::error::{Error, Kind, Result};

/// Reads the URL as it is at this moment.
pub(crate) type UrlSource<U> = Box<dyn Fn() -> std::result::Result<U, Diagnostic>>;

/// A URL of a server.
pub(crate) trait ServerUrl: Clone + PartialEq {
    /// What it says about TLS.
    fn tls(&self) -> &TlsParameters;

    /// Whether both mean the same tables.
    fn is_same_database(&self, other: &Self) -> bool;

    /// The database and where it is, for people.
    fn shown(&self) -> String;
}

/// What the TLS parameters of a URL amount to.
pub(crate) trait FromParameters: Clone {
    /// Fails if a file that they name cannot be used.
    fn new(parameters: &TlsParameters) -> std::result::Result<Self, Diagnostic>;
}

/// A URL and what its TLS parameters amount to.
#[derive(Clone)]
pub(crate) struct Target<U, T> {
    pub(crate) url: U,
    pub(crate) tls: T,
}

impl<U: ServerUrl, T: FromParameters> Target<U, T> {
    /// Fails if a certificate file of the URL cannot be used.
    pub(crate) fn new(url: U) -> std::result::Result<Self, Diagnostic> {
        let tls = T::new(url.tls())?;
        Ok(Self { url, tls })
    }

    /// The same for another URL. The system's certificates are not loaded again.
    fn moved_to(&self, url: U) -> std::result::Result<Self, Diagnostic> {
        let tls = if url.tls() == self.url.tls() { self.tls.clone() } else { T::new(url.tls())? };
        Ok(Self { url, tls })
    }
}

/// How long credentials that were refused are not tried again as long as they stay the same: a server may count, log or
/// slow down what fails.
const AGAIN: Duration = Duration::from_secs(5);

/// The target of each attempt to connect.
pub(crate) struct Targets<U, T> {
    last: RefCell<Target<U, T>>,
    source: Option<UrlSource<U>>,
    refused: RefCell<Option<Refusal<U>>>,
    /// The database that has been reached. It stays the only one: what was read, planned and applied is about it.
    reached: RefCell<Option<U>>,
}

struct Refusal<U> {
    url: U,
    at: Instant,
    error: Error,
}

impl<U: ServerUrl, T: FromParameters> Targets<U, T> {
    /// Always the same one.
    pub(crate) fn fixed(target: Target<U, T>) -> Self {
        Self {
            last: RefCell::new(target),
            source: None,
            refused: RefCell::new(None),
            reached: RefCell::new(None),
        }
    }

    /// Read anew for each attempt.
    pub(crate) fn read_from(self, source: UrlSource<U>) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The target of the last attempt, which is from now on the only database, as in [`reached`](Self::reached).
    pub(crate) fn settle(&self) -> Target<U, T> {
        let target = self.last.borrow().clone();
        self.reached(&target.url);
        target
    }

    /// From now on the URL may change in its credentials and TLS, and no longer name another database.
    pub(crate) fn reached(&self, url: &U) {
        self.reached.borrow_mut().get_or_insert_with(|| url.clone());
    }

    /// The target of this attempt. What cannot be read now may be readable at the next one.
    ///
    /// Fails for good if a database has been reached and this is another one.
    pub(crate) fn next(&self) -> Result<Target<U, T>> {
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
    pub(crate) fn failed(&self, url: U, error: Error) -> Error {
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

fn moved<U: ServerUrl>(from: &U, to: &U) -> Diagnostic {
    let message = format!(
        "the URL in the file names another database now: {}, and no longer {}; nothing was done there",
        to.shown(),
        from.shown()
    );
    Diagnostic::new(Code::UrlMoved, message)
        .help("the next start works on the database that the file names then, and on no other")
        .help("look at both: what this run had applied is in the first one")
}
