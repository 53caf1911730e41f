//! `file:` URLs.

use std::path::{Path, PathBuf};

use super::parameters::Parameters;
use super::{invalid, wrong_protocol};
use crate::diagnostic::Diagnostic;
use crate::secret::Secret;

/// Where a SQLite database is.
#[derive(Clone, Debug)]
pub struct SqliteUrl {
    /// The file.
    pub path: PathBuf,
    /// The URL as written, up to its parameters.
    shown: String,
    /// Parameters that mean nothing to a migration.
    pub unused: Vec<String>,
}

impl SqliteUrl {
    pub(super) fn parse(url: &Secret, base: &Path) -> Result<Self, Diagnostic> {
        let text = url.expose();
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let path = address.strip_prefix("file:").or_else(|| address.strip_prefix("sqlite:"));
        let path = path.ok_or_else(|| wrong_protocol("`file:`"))?;
        if path.is_empty() || path == ":memory:" {
            return Err(invalid("it names no file, and a database in memory would be gone at once"));
        }
        Ok(Self {
            path: base.join(path),
            shown: address.to_owned(),
            unused: unused(Parameters::parse(query)),
        })
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or(&self.shown)
    }

    /// The URL as written, up to its parameters.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

fn unused(parameters: Parameters) -> Vec<String> {
    // How long to wait for the file's lock is `--lock-wait`'s business; the others are about pools.
    const KNOWN: &[&str] = &["connection_limit", "socket_timeout", "pool_timeout", "connect_timeout"];
    parameters.names().filter(|name| !KNOWN.contains(&name.as_str()) && !name.starts_with("max_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<SqliteUrl, Diagnostic> {
        SqliteUrl::parse(&Secret::new(url), Path::new("/app/prisma"))
    }

    #[test]
    fn a_relative_path_is_taken_from_the_base() {
        let url = parse("file:./dev.db?connection_limit=1&x=2").unwrap();
        assert_eq!(url.path, Path::new("/app/prisma/./dev.db"));
        assert_eq!((url.name(), url.shown()), ("dev.db", "file:./dev.db"));
        assert_eq!(url.unused, ["x"]);
        assert_eq!(parse("file:/data/a.db").unwrap().path, Path::new("/data/a.db"));
        assert_eq!(parse("sqlite:a.db").unwrap().path, Path::new("/app/prisma/a.db"));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let shown = ["postgres://u:hunter2@h/d", "dev.db", "file:", "file::memory:"]
            .map(|url| parse(url).unwrap_err().to_string());
        insta::assert_snapshot!(shown.join("\n"), @r"
        P1012: Error validating datasource: the URL must start with the protocol `file:`.
        P1012: Error validating datasource: the URL must start with the protocol `file:`.
        P1013: The provided database string is invalid: it names no file, and a database in memory would be gone at once
        P1013: The provided database string is invalid: it names no file, and a database in memory would be gone at once
        ");
    }
}
