//! What is special about a server of one's own.

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
    pub(super) tls: Tls,
    pub(super) settings: Vec<(String, String)>,
}

impl Options {
    /// The same, with or without TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The same, with one more line of the server's configuration file. Later ones win.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}
