//! Text that must never be shown, and text that may hold some of it.

use std::fmt;

/// A password, or a text that contains one, such as a connection URL.
///
/// Neither `Debug` nor `Display` shows it: the only way to the text is [`Secret::expose`], which is easy to search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that must not be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who must send it to a database.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

// Written by hand so that a struct that holds a secret can still be printed in a failing test.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Replaces every password that can be recognised in `text` by asterisks, one for each byte, so that offsets stay.
///
/// Recognised are the password of a URL (`scheme://user:password@`), the values of `password=` and `sslpassword=`
/// parameters, and SQL's `PASSWORD '…'`.
pub fn mask(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    mask_url_passwords(text, &mut bytes);
    mask_after(text, "password=", &mut bytes, |c| {
        matches!(c, '&' | '"' | '\'' | '`' | ';') || c.is_whitespace()
    });
    mask_sql_passwords(text, &mut bytes);
    // Only whole characters were replaced, each byte by an asterisk: this is UTF-8 again.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}

fn fill(bytes: &mut [u8], from: usize, to: usize) {
    if let Some(part) = bytes.get_mut(from..to) {
        part.fill(b'*');
    }
}

fn mask_url_passwords(text: &str, bytes: &mut [u8]) {
    // A URL that was taken for a path has lost one of its slashes.
    for (scheme, _) in text.match_indices(":/") {
        let start = scheme + 2;
        let rest = &text[start..];
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`')).unwrap_or(rest.len());
        let authority = &rest[..end];
        // The last `@` ends the credentials: an unescaped one inside a password must not show its second half.
        let (Some(colon), Some(at)) = (authority.find(':'), authority.rfind('@')) else { continue };
        if colon < at {
            fill(bytes, start + colon + 1, start + at);
        }
    }
}

fn mask_after(text: &str, word: &str, bytes: &mut [u8], ends: impl Fn(char) -> bool) {
    let lower = text.to_ascii_lowercase();
    for (at, _) in lower.match_indices(word) {
        let start = at + word.len();
        let end = text[start..].find(&ends).map_or(text.len(), |n| start + n);
        fill(bytes, start, end);
    }
}

/// Masks what follows `PASSWORD` or `IDENTIFIED BY` in SQL, and `password = '…'` in anything: every form of string that
/// PostgreSQL, SQLite and people have, to its very end.
fn mask_sql_passwords(text: &str, bytes: &mut [u8]) {
    let lower = text.to_ascii_lowercase();
    for (at, word) in lower.match_indices("password").chain(lower.match_indices("identified by")) {
        let after = at + word.len();
        let rest = &text[after..];
        let sign =
            rest.find(|c: char| !c.is_whitespace() && !matches!(c, '=' | ':' | '>')).unwrap_or(rest.len());
        let rest = &rest[sign..];
        let prefix =
            ["E", "e", "U&", "u&", "N", "n"].iter().find(|prefix| rest.starts_with(&format!("{prefix}'")));
        let start = after + sign + prefix.map_or(0, |prefix| prefix.len());
        if let Some(content) = quoted_content(&text[start..]) {
            fill(bytes, start + content.start, start + content.end);
        }
    }
}

/// The content of the string that a text begins with. A quote or dollar quote that does not end reaches to the end.
fn quoted_content(text: &str) -> Option<std::ops::Range<usize>> {
    if let Some(rest) = text.strip_prefix('$') {
        let tag = &text[..=rest.find('$')? + 1];
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let end = || text[tag.len()..].find(tag).map_or(text.len(), |end| tag.len() + end);
        return tag.chars().all(word).then(|| tag.len()..end());
    }
    let quote = text.bytes().next().filter(|byte| matches!(byte, b'\'' | b'"' | b'`'))?;
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', _) => at += 2,
            (byte, Some(next)) if byte == quote && *next == quote => at += 2,
            (byte, _) if byte == quote => return Some(1..at),
            _ => at += 1,
        }
    }
    Some(1..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_url_is_masked_and_offsets_stay() {
        let text = "url = \"postgresql://app:s3cr@t@db:5432/x\" // here";
        let masked = mask(text);
        assert_eq!(masked, "url = \"postgresql://app:******@db:5432/x\" // here");
        assert_eq!(masked.len(), text.len());
        assert_eq!(mask("path postgresql:/app:secret@db:5432/x"), "path postgresql:/app:******@db:5432/x");
    }

    #[test]
    fn parameters_and_sql_passwords_are_masked() {
        assert_eq!(mask("?sslpassword=abc&x=1"), "?sslpassword=***&x=1");
        assert_eq!(mask("CREATE ROLE a PASSWORD 'hunter2';"), "CREATE ROLE a PASSWORD '*******';");
        for (text, secret) in [
            ("ALTER ROLE a PASSWORD $$hunter2$$", "hunter2"),
            ("ALTER ROLE a PASSWORD $x$hunter2", "hunter2"),
            ("ALTER ROLE a PASSWORD 'x''hunter2'", "hunter2"),
            ("-- password = 'hunter2'", "hunter2"),
            ("ALTER ROLE a PASSWORD E'hun\\'hunter2'", "hunter2"),
            ("{ password: \"hunter2\" }", "hunter2"),
        ] {
            let masked = mask(text);
            assert!(!masked.contains(secret), "{masked}");
            assert_eq!(masked.len(), text.len());
        }
        assert_eq!(mask("no secrets: a@b.example"), "no secrets: a@b.example");
    }

    #[test]
    fn debug_does_not_show_a_secret() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
