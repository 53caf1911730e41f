//! What a server steps over: blanks, semicolons and comments, written down a second time.
//!
//! The splitter cannot be asked what stands between two statements: what it is blind for it would not see there either.

use std::ops::Range;

/// Who reads the text. A version has the form that stands in version comments: 8.0.36 is 80036.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
    Mysql { version: u32 },
    Mariadb { version: u32 },
}

/// Where the first thing in this part of a text is that is neither blank nor a comment. A comment that goes on behind the
/// part is such a thing.
pub(crate) fn first_token(text: &str, part: Range<usize>, dialect: Dialect) -> Option<usize> {
    let mut at = part.start;
    let mut in_code = false;
    while at < part.end {
        let rest = &text[at..];
        let next = match rest {
            _ if in_code && rest.starts_with("*/") => {
                in_code = false;
                Some(2)
            }
            _ => match code_comment(rest, dialect) {
                Some(start) => {
                    in_code = true;
                    Some(start)
                }
                None => blank(rest, at, dialect),
            },
        };
        match next {
            Some(length) if at + length <= part.end => at += length,
            _ => return Some(at),
        }
    }
    None
}

/// How long the blank, semicolon or comment is that a text begins with; `at` is where it stands in the whole.
fn blank(rest: &str, at: usize, dialect: Dialect) -> Option<usize> {
    let first = rest.chars().next()?;
    match first {
        ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | ';' => Some(1),
        '\u{feff}' if at == 0 || dialect == Dialect::Sqlite => Some(first.len_utf8()),
        _ => line_comment(rest, dialect).or_else(|| block_comment(rest, dialect)),
    }
}

fn line_comment(rest: &str, dialect: Dialect) -> Option<usize> {
    let is_mysql = matches!(dialect, Dialect::Mysql { .. } | Dialect::Mariadb { .. });
    let begins = match rest.strip_prefix("--") {
        Some(more) => !is_mysql || more.chars().next().is_none_or(|c| c <= ' ' || c == '\u{7f}'),
        None => is_mysql && rest.starts_with('#'),
    };
    let ends: &[char] = if dialect == Dialect::Postgres { &['\n', '\r'] } else { &['\n'] };
    begins.then(|| rest.find(ends).unwrap_or(rest.len()))
}

/// A comment between `/*` and `*/`. PostgreSQL's hold others; what MySQL and MariaDB leave to other versions holds others,
/// which hold none; SQLite's end with the text.
fn block_comment(rest: &str, dialect: Dialect) -> Option<usize> {
    rest.strip_prefix("/*")?;
    let deepest = match dialect {
        Dialect::Postgres => usize::MAX,
        Dialect::Mysql { .. } | Dialect::Mariadb { .. } if version_mark(rest, dialect).is_some() => 2,
        _ => 1,
    };
    let mut depth = 1;
    let mut at = 2;
    while depth > 0 {
        let found = rest[at..].find(['*', '/']).map(|n| at + n);
        let Some(mark) = found else {
            return (dialect == Dialect::Sqlite).then_some(rest.len());
        };
        at = mark + 2;
        if rest[mark..].starts_with("*/") {
            depth -= 1;
        } else if rest[mark..].starts_with("/*") && depth < deepest {
            depth += 1;
        } else {
            at = mark + 1;
        }
    }
    Some(at)
}

/// How long the start of a comment is whose content this server runs.
fn code_comment(rest: &str, dialect: Dialect) -> Option<usize> {
    let mark = version_mark(rest, dialect)?;
    let digits = rest[mark..].bytes().take_while(u8::is_ascii_digit).count();
    let (own, longest) = match dialect {
        Dialect::Mariadb { version } => (version, 6),
        Dialect::Mysql { version } => (version, 5),
        Dialect::Postgres | Dialect::Sqlite => return None,
    };
    if digits < 5 {
        return Some(mark);
    }
    let end = mark + digits.min(longest);
    let wanted: u32 = rest[mark..end].parse().ok()?;
    // MariaDB runs nothing that was written for MySQL 5.7 and later.
    let is_foreign = longest == 6 && mark == "/*!".len() && (50_700..=99_999).contains(&wanted);
    (wanted <= own && !is_foreign).then_some(end)
}

/// How long the mark of a version comment is.
fn version_mark(rest: &str, dialect: Dialect) -> Option<usize> {
    let marks: &[&str] = match dialect {
        Dialect::Postgres | Dialect::Sqlite => &[],
        Dialect::Mysql { .. } => &["/*!"],
        Dialect::Mariadb { .. } => &["/*!", "/*M!"],
    };
    marks.iter().find(|mark| rest.starts_with(**mark)).map(|mark| mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MYSQL: Dialect = Dialect::Mysql { version: 80_036 };
    const MARIADB: Dialect = Dialect::Mariadb { version: 101_106 };

    fn first(text: &str, dialect: Dialect) -> Option<usize> {
        first_token(text, 0..text.len(), dialect)
    }

    #[test]
    fn a_statement_beside_a_comment_is_seen() {
        for dialect in [Dialect::Postgres, Dialect::Sqlite, MYSQL, MARIADB] {
            assert_eq!(first(" -- a\n ; /* b */ \u{c}", dialect), None, "{dialect:?}");
            assert_eq!(first("-- a\nSELECT 1", dialect), Some(5), "{dialect:?}");
            assert_eq!(first("/* a */ SELECT 1 /* b */", dialect), Some(8), "{dialect:?}");
            assert_eq!(first_token("/* a */", 0..4, dialect), Some(0), "{dialect:?}");
        }
    }

    #[test]
    fn comments_are_those_of_the_dialect() {
        assert_eq!(first("/* /* */ */ -- a\rb", Dialect::Postgres), Some(17));
        assert_eq!(first("/* /* */ */", Dialect::Sqlite), Some(9));
        assert_eq!(first("/* a", Dialect::Sqlite), None);
        assert_eq!(first("/* a", Dialect::Postgres), Some(0));
        assert_eq!(first("# a", Dialect::Postgres), Some(0));
        assert_eq!(first("# a\n--\tb\n--", MYSQL), None);
        assert_eq!(first("--b", MYSQL), Some(0));
    }

    #[test]
    fn a_version_comment_is_code_or_blank() {
        assert_eq!(first("/*!99999 a /* b */ c */", MYSQL), None);
        assert_eq!(first("/*!40101 a */", MYSQL), Some(9));
        assert_eq!(first("/*!40101 /* a */ */", MYSQL), None);
        assert_eq!(first("/*M! a */", MYSQL), None);
        assert_eq!(first("/*M! a */", MARIADB), Some(5));
        assert_eq!(first("/*!80000 a */ /*M!999999 b */", MARIADB), None);
    }
}
