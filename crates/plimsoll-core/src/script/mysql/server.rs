//! What of a server decides how its SQL is read.

/// Whose dialect a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// MySQL, and what is built from its sources.
    Mysql,
    /// MariaDB.
    Mariadb,
}

/// What a backslash means inside a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backslash {
    /// It takes the next character's meaning away.
    Escapes,
    /// Nothing: `sql_mode` has `NO_BACKSLASH_ESCAPES`.
    Plain,
}

/// What stands between double quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubleQuoted {
    /// A string.
    Text,
    /// A name: `sql_mode` has `ANSI_QUOTES`.
    Name,
}

/// What of a session's `sql_mode` the lexer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoting {
    /// What a backslash means inside a string.
    pub backslash: Backslash,
    /// What stands between double quotes.
    pub double_quoted: DoubleQuoted,
}

/// A server, as far as reading SQL goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Whose dialect it speaks.
    pub flavour: Flavour,
    /// Its version as its own comments count: 8.0.15 is 80015, 10.11.19 is 101119.
    pub version: u32,
    /// How a session of it quotes before a script changes that.
    pub quoting: Quoting,
}

/// Modes that stand for `ANSI_QUOTES` among others (MySQL dropped all but the first in 8.0).
const ANSI: [&str; 7] = ["ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"];

/// The bits of the two modes, for a `sql_mode` that is written as a number.
const ANSI_QUOTES_BIT: u64 = 1 << 2;
const NO_BACKSLASH_ESCAPES_BIT: u64 = 1 << 20;

impl Quoting {
    /// What this value of `sql_mode` means.
    pub fn parse(sql_mode: &str) -> Self {
        let mut quoting = Self { backslash: Backslash::Escapes, double_quoted: DoubleQuoted::Text };
        quoting.add(sql_mode);
        quoting
    }

    /// Takes the mode away that a `REPLACE(@@sql_mode, …)` takes away.
    pub(super) fn remove(&mut self, sql_mode: &str) {
        let without = Self::parse(sql_mode);
        if without.double_quoted == DoubleQuoted::Name {
            self.double_quoted = DoubleQuoted::Text;
        }
        if without.backslash == Backslash::Plain {
            self.backslash = Backslash::Escapes;
        }
    }

    /// The same with these modes as well.
    pub(super) fn add(&mut self, sql_mode: &str) {
        let bits = sql_mode.trim().parse::<u64>().unwrap_or(0);
        let has = |mode: &str| sql_mode.split(',').any(|found| found.trim().eq_ignore_ascii_case(mode));
        if bits & ANSI_QUOTES_BIT != 0 || ANSI.into_iter().any(has) {
            self.double_quoted = DoubleQuoted::Name;
        }
        if bits & NO_BACKSLASH_ESCAPES_BIT != 0 || has("NO_BACKSLASH_ESCAPES") {
            self.backslash = Backslash::Plain;
        }
    }
}

impl Server {
    /// Takes what `SELECT VERSION()` and `SELECT @@SESSION.sql_mode` answer.
    ///
    /// A version without digits is 0: then no version comment is code.
    pub fn parse(version: &str, sql_mode: &str) -> Self {
        let mariadb = version.to_ascii_lowercase().contains("mariadb");
        // MariaDB 10 and its proxies put this in front, for replicas that expect one digit.
        let version = if mariadb { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
        let digits = version.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or("");
        let mut parts = digits.split('.').map(|part| part.parse::<u32>().unwrap_or(0).min(99));
        let mut part = || parts.next().unwrap_or(0);
        Self {
            flavour: if mariadb { Flavour::Mariadb } else { Flavour::Mysql },
            version: part() * 10_000 + part() * 100 + part(),
            quoting: Quoting::parse(sql_mode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_counted_as_comments_count_it() {
        let cases = [
            ("8.0.15", Flavour::Mysql, 80_015),
            ("8.4.3-cloud", Flavour::Mysql, 80_403),
            ("5.7.44-log", Flavour::Mysql, 50_744),
            ("10.11.19-MariaDB-0+deb12u1", Flavour::Mariadb, 101_119),
            ("5.5.5-10.6.2-MariaDB", Flavour::Mariadb, 100_602),
            ("11.4.2-mariadb-log", Flavour::Mariadb, 110_402),
            ("", Flavour::Mysql, 0),
        ];
        for (text, flavour, version) in cases {
            let server = Server::parse(text, "");
            assert_eq!((server.flavour, server.version), (flavour, version), "{text}");
        }
    }

    #[test]
    fn two_modes_decide_how_quotes_are_read() {
        let cases = [
            ("STRICT_TRANS_TABLES", Backslash::Escapes, DoubleQuoted::Text),
            ("STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES", Backslash::Plain, DoubleQuoted::Text),
            ("ansi_quotes", Backslash::Escapes, DoubleQuoted::Name),
            ("REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,ANSI", Backslash::Escapes, DoubleQuoted::Name),
            ("1048580", Backslash::Plain, DoubleQuoted::Name),
        ];
        for (mode, backslash, double_quoted) in cases {
            assert_eq!(Quoting::parse(mode), Quoting { backslash, double_quoted }, "{mode}");
        }
    }
}
