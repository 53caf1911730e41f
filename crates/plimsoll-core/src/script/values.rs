//! Statements of others, as they may be shown: without the values in them.
//!
//! What it leaves out for sure matters more than what it keeps. How another session reads its strings is not known here: where that
//! could move the end of one, nothing behind it is shown.

use std::ops::Range;

/// What of a statement is shown how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// As it is.
    Shown,
    /// A string, or whatever does not end.
    Text,
    Number,
}

/// The statement with a `?` for each string and number, and without comments. Blanks are one blank.
pub(super) fn without_values(text: &str, parts: impl Iterator<Item = (Part, Range<usize>)>) -> String {
    let mut shown = String::new();
    let (mut end, mut before) = (0, Part::Shown);
    for (part, span) in parts {
        let found = &text[span.clone()];
        let is_glued = span.start == end;
        end = span.end;
        // `1.5`, `0xff` and `1_000` are several tokens to a lexer that only looks for the ends of statements.
        if is_glued && before == Part::Number && is_of_number(part, found) {
            continue;
        }
        before = part;
        if !is_glued && !shown.is_empty() {
            shown.push(' ');
        }
        if part == Part::Shown {
            shown.push_str(found);
            continue;
        }
        shown.push('?');
        if part == Part::Text && may_end_elsewhere(found) {
            shown.push_str(" …");
            break;
        }
    }
    shown
}

fn is_of_number(part: Part, found: &str) -> bool {
    part == Part::Number || found == "." || found.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Whether a backslash stands before a quote: to some sessions the string ends there, to others it goes on.
fn may_end_elsewhere(string: &str) -> bool {
    ["\\'", "\\\""].iter().any(|escaped| string.contains(escaped))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::script::mysql::{self, Server};
    use crate::script::postgres;

    fn of_postgres(text: &str, shown: &str) {
        assert_eq!(postgres::without_values(text), shown, "{text}");
    }

    fn of_mysql(text: &str, shown: &str) {
        assert_eq!(mysql::without_values(text, &Server::parse("8.0.36", "ANSI_QUOTES")), shown, "{text}");
    }

    #[test]
    fn strings_and_numbers_are_left_out_and_names_stay() {
        let text = "UPDATE \"ship\"  SET mail = 'a@b', n=-12.5e3 WHERE id IN (1,0xff, 1_000) -- of 'Ann'";
        of_postgres(text, "UPDATE \"ship\" SET mail = ?, n=-? WHERE id IN (?,?, ?)");
        of_postgres(
            "SELECT $a$it's$a$, E'it\\\\s', U&'x', t1.n2 FROM a/* Ann */b",
            "SELECT ?, ?, U&?, t1.n2 FROM a b",
        );
        let text = "UPDATE `ship`\n SET a = \"Ann\", n=0xff, m=1e9 WHERE d = x'4142' # Ann";
        of_mysql(text, "UPDATE `ship` SET a = ?, n=?, m=? WHERE d = x?");
    }

    /// The server shows the beginning of a long statement.
    #[test]
    fn a_string_that_was_cut_is_left_out_as_well() {
        for text in
            ["INSERT INTO t VALUES ('Ann", "INSERT INTO t VALUES ($q$Ann $q", "INSERT INTO t VALUES (E'Ann\\"]
        {
            of_postgres(text, "INSERT INTO t VALUES (?");
        }
        of_postgres("SELECT /* Ann", "SELECT ?");
        of_mysql("INSERT INTO t VALUES ('Ann\\", "INSERT INTO t VALUES (?");
        of_mysql("INSERT INTO t VALUES (\"Ann", "INSERT INTO t VALUES (?");
    }

    /// To one session the first string ends behind the backslash, to another it goes on.
    #[test]
    fn where_it_is_not_known_where_a_string_ends_nothing_more_is_shown() {
        of_postgres("SELECT 'it\\'s Ann', n FROM t", "SELECT ? …");
        of_mysql("SELECT 'C:\\', 'Ann', n FROM t", "SELECT ? …");
        of_mysql("SELECT \"C:\\\", 'Ann', n FROM t", "SELECT ? …");
        of_mysql("SET @'a\\' = 'Ann', @b = 'Bob'", "SET ? …");
        of_mysql("SET @\"a\\\" = 'Ann', @b = 'Bob'", "SET ? …");
    }

    #[test]
    fn comments_of_a_version_are_code_where_the_server_runs_them() {
        of_mysql(
            "SELECT /*!40001 SQL_NO_CACHE */ * FROM `ship`",
            "SELECT /*!40001 SQL_NO_CACHE */ * FROM `ship`",
        );
        of_mysql("SELECT /*!40001 'Ann */ Ann' */ n", "SELECT /*!40001 ? */ n");
        of_mysql("SELECT /*!99999 it's Ann */ n, 'Ann'", "SELECT n, ?");
    }

    proptest! {
        /// However the text around them is put together.
        #[test]
        fn what_stands_between_quotes_is_never_shown(
            before in "[a-z0-9 ,.(=/*\\-]{0,12}",
            quote in prop::sample::select(vec!["'", "$$", "$q$"]),
            inside in "[a-z \\\\]{0,6}",
        ) {
            // A comment would have to end before the string begins.
            prop_assume!(!before.contains("--") && !before.contains("/*") && !before.ends_with(['/', '-']));
            let text = format!("{before} {quote}{inside}SECRET{quote} , x");
            prop_assert!(!postgres::without_values(&text).contains("SECRET"), "{text}");
            let text = format!("{before} '{inside}SECRET' , \"{inside}SECRET\"");
            let shown = mysql::without_values(&text, &Server::parse("8.0.36", ""));
            prop_assert!(!shown.contains("SECRET"), "{text}: {shown}");
        }
    }
}
