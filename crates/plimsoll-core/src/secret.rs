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

/// Replaces this very password by asterisks, as it is and percent-encoded, wherever it is a word of its own.
///
/// For texts of a server's, which has been told the password and may say it back. Within longer words it stays: a password
/// like `app` or `x` would make nonsense of every message, and say what it is by that.
pub fn hide(text: &str, password: &Secret) -> String {
    let plain = password.expose();
    if plain.is_empty() {
        return text.to_owned();
    }
    let encoded =
        percent_encoding::utf8_percent_encode(plain, percent_encoding::NON_ALPHANUMERIC).to_string();
    let mut bytes = text.as_bytes().to_vec();
    for form in [plain, encoded.as_str()] {
        for (from, _) in text.match_indices(form) {
            let to = from + form.len();
            if !text[..from].ends_with(is_of_a_word) && !text[to..].starts_with(is_of_a_word) {
                fill(&mut bytes, from, to);
            }
        }
    }
    // Only whole characters were replaced, each byte by an asterisk: this is UTF-8 again.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Replaces every password that can be recognised in `text` by asterisks, one for each byte, so that offsets stay.
///
/// Recognised are the password of a URL (`scheme://user:password@`), the values of `password=` and `sslpassword=`
/// parameters, SQL's `PASSWORD '…'`, and every string behind the `IDENTIFIED` or `SET PASSWORD` of MySQL and MariaDB to the end
/// of the statement, but for the names of accounts. A URL that was cut (`…`) before its `@` is masked to where it was cut.
pub fn mask(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    mask_url_passwords(text, &mut bytes);
    mask_after(text, "password=", &mut bytes, |c| {
        matches!(c, '&' | '"' | '\'' | '`' | ';') || c.is_whitespace()
    });
    mask_sql_passwords(text, &mut bytes);
    mask_accounts(text, &mut bytes);
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
        let cut = || authority.find('…');
        let (Some(colon), Some(at)) = (authority.find(':'), authority.rfind('@').or_else(cut)) else {
            continue;
        };
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

/// Masks what `IDENTIFIED … BY | AS | USING … REPLACE` and `SET PASSWORD … =` give, in whatever words: every string behind them.
fn mask_accounts(text: &str, bytes: &mut [u8]) {
    let lower = text.to_ascii_lowercase();
    let identified = lower.match_indices("identified").map(|(at, word)| at + word.len());
    let password = lower.match_indices("password").filter(|(at, _)| {
        lower[..*at].split_whitespace().next_back().is_some_and(|word| word.ends_with("set"))
    });
    for from in identified.chain(password.map(|(at, word)| at + word.len())) {
        mask_strings(text, from, bytes);
    }
}

/// Masks the strings from here to the end of the statement that are no part of an account (`'a'@'b'`).
fn mask_strings(text: &str, from: usize, bytes: &mut [u8]) {
    let mut at = from;
    while let Some(found) = text[at..].find([';', '\'', '"', '`']) {
        let start = at + found;
        let Some(content) = quoted_content(&text[start..]) else { return };
        let end = (start + content.end + 1).min(text.len());
        let is_account = text[..start].ends_with('@') || text[end..].starts_with('@');
        if !is_account && !text[start..].starts_with('`') {
            fill(bytes, start + content.start, start + content.end);
        }
        at = end;
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
    fn no_form_in_which_mysql_is_given_a_password_shows_it() {
        for text in [
            "CREATE USER bob IDENTIFIED WITH mysql_native_password BY 'hunter2'",
            "CREATE USER 'bob'@'%' IDENTIFIED BY 'x' REPLACE 'hunter2'",
            "CREATE USER bob IDENTIFIED BY /* new */ \"hunter2\"",
            "CREATE USER bob IDENTIFIED VIA ed25519 USING PASSWORD('hunter2')",
            "ALTER USER bob IDENTIFIED\n  WITH 'sha256_password' AS 'hunter2'",
            "ALTER USER `b'ob` IDENTIFIED BY 'a', eve IDENTIFIED BY 'hunter2' COMMENT 'x'",
            "SET PASSWORD FOR 'a'@'%' = 'hunter2'",
            "SET PASSWORD FOR 'a'@'%' = PASSWORD('hunter2')",
            "set  password = 'x' REPLACE 'it''s hunter2'",
            "SET PASSWORD = 'hunter2",
        ] {
            let masked = mask(text);
            assert!(!masked.contains("hunter2"), "{masked}");
            assert_eq!(masked.len(), text.len());
        }
    }

    #[test]
    fn accounts_and_what_follows_the_statement_are_shown() {
        let text = "ALTER USER 'a'@'b' IDENTIFIED BY 'x', `c`@'d' IDENTIFIED BY 'y'; SELECT 'z'";
        let masked = "ALTER USER 'a'@'b' IDENTIFIED BY '*', `c`@'d' IDENTIFIED BY '*'; SELECT 'z'";
        assert_eq!(mask(text), masked);
        assert_eq!(mask("UPDATE t SET a = 'b'"), "UPDATE t SET a = 'b'");
    }

    #[test]
    fn a_url_that_was_cut_before_its_end_shows_no_part_of_its_password() {
        let text = "`CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:hunt…`";
        assert_eq!(mask(text), "`CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:****…`");
    }

    #[test]
    fn a_password_that_is_known_is_hidden_in_any_words() {
        let password = Secret::new("hunt@r2");
        assert_eq!(hide("got hunt@r2, or hunt%40r2", &password), "got *******, or *********");
        assert_eq!(hide("as it is", &Secret::new("")), "as it is");
        assert_eq!(hide("applied app_1, not `app`", &Secret::new("app")), "applied app_1, not `***`");
    }

    #[test]
    fn debug_does_not_show_a_secret() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
