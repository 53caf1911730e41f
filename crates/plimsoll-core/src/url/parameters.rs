//! The parameters of a URL, taken one by one, so that what nobody took is known.

use std::collections::BTreeMap;

use super::invalid;
use super::parts::refused;
use crate::diagnostic::Diagnostic;

/// Parameters of Prisma's that concern pools and caches, which a migration has none of.
const MEANINGLESS_NUMBERS: &[&str] = &[
    "connection_limit",
    "pool_timeout",
    "max_connection_lifetime",
    "max_idle_connection_lifetime",
    "statement_cache_size",
];

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

    /// `connect_timeout` in seconds: 5 if it is not given, none if it is 0.
    pub(super) fn take_connect_timeout(&mut self) -> Result<Option<u32>, Diagnostic> {
        Ok(Some(self.take_number("connect_timeout")?.unwrap_or(5)).filter(|seconds| *seconds > 0))
    }

    /// `socket_timeout` in seconds, if there is a limit.
    pub(super) fn take_socket_timeout(&mut self) -> Result<Option<u32>, Diagnostic> {
        Ok(self.take_number("socket_timeout")?.filter(|seconds| *seconds > 0))
    }

    /// The names that nobody took, unless leaving one out would weaken security: if it begins with one of `dangerous`, or is one
    /// of `others`.
    pub(super) fn unused(mut self, dangerous: &[&str], others: &[&str]) -> Result<Vec<String>, Diagnostic> {
        for name in MEANINGLESS_NUMBERS {
            // Prisma refuses what is no number, also where the number means nothing to a migration.
            self.take_number(name)?;
        }
        let weakens = |name: &&String| {
            let name = name.to_ascii_lowercase();
            others.contains(&name.as_str()) || dangerous.iter().any(|start| name.starts_with(start))
        };
        match self.0.keys().find(weakens) {
            Some(name) => Err(refused(name).help(
                "leaving it out could weaken what it was put there for: remove it, or use a form that Prisma has",
            )),
            None => Ok(self.names().collect()),
        }
    }
}
