//! The parameters of a URL, taken one by one, so that what nobody took is known.

use std::collections::BTreeMap;

use super::invalid;
use crate::diagnostic::Diagnostic;

/// The query part of a URL; a later value of a name wins, as in Prisma.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(super) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// A number; anything else is an error, as in Prisma (P1013).
    pub(super) fn take_number(&mut self, name: &str) -> Result<Option<u32>, Diagnostic> {
        let Some(text) = self.take(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format_args!("the parameter `{name}` is not a number")))
    }

    pub(super) fn take_flag(&mut self, name: &str) -> bool {
        self.take(name).is_some_and(|value| value == "true")
    }

    pub(super) fn names(self) -> impl Iterator<Item = String> {
        self.0.into_keys()
    }
}
