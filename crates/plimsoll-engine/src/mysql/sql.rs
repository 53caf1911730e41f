//! Names and texts as they have to stand in a statement.

use std::fmt::Write as _;

/// A name of a table or a database.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text, whatever `sql_mode` and character set a script has left: where a backslash or the bytes of a character could
/// be read in two ways, it is written in hexadecimal.
pub(super) fn text(text: &str) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\');
    if text.bytes().all(plain) {
        return format!("'{text}'");
    }
    let mut quoted = "_utf8mb4 X'".to_owned();
    for byte in text.bytes() {
        let _infallible = write!(quoted, "{byte:02x}");
    }
    quoted.push('\'');
    quoted
}

/// Ends a transaction and nothing more: a script may have set `completion_type`, by which the next one would begin, or the
/// connection end.
pub(super) const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE;SET autocommit = 1";

/// The same for one that is given up.
pub(super) const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE;SET autocommit = 1";

/// The bytes that a column of the type `TEXT` can hold.
const MOST: usize = 65_535;

/// The text of `logs`, cut in its words to what the column can hold; the line of JSON behind them stays whole.
pub(super) fn logs(logs: &str) -> String {
    if logs.len() <= MOST {
        return logs.to_owned();
    }
    let (words, line) = logs.rsplit_once('\n').unwrap_or((logs, ""));
    let mark = " …\n";
    let room = MOST.saturating_sub(line.len() + mark.len());
    format!("{}{mark}{line}", &words[..words.floor_char_boundary(room)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_text_depends_on_the_mode_of_the_session() {
        assert_eq!(text("20240101_init \"x\""), "'20240101_init \"x\"'");
        assert_eq!(text("it's"), "_utf8mb4 X'69742773'");
        assert_eq!(text("\\"), "_utf8mb4 X'5c'");
        assert_eq!(text("ä\n"), "_utf8mb4 X'c3a40a'");
        assert_eq!(name("a`b"), "`a``b`");
    }

    proptest! {
        #[test]
        fn long_logs_fit_and_keep_their_line(words in "[a-zä]{0,9}", times in 0_usize..20_000, line in "\\{[a-z]{0,40}\\}") {
            let whole = format!("{}\n{line}", words.repeat(times));
            let cut = logs(&whole);
            let end = ["\n", &line].concat();
            prop_assert!(cut.len() <= MOST && cut.ends_with(&end));
            prop_assert!(whole.len() > MOST || cut == whole);
        }
    }
}
