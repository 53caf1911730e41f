//! Where a server may read the strings of a script in another way than we do.

use std::ops::Range;

use crate::script::lexer::{Dialect, Lexer};

/// The first backslash of a plain string: with `standard_conforming_strings = off` it is an escape, and the string may end elsewhere.
///
/// Nothing else of a script depends on that setting: in `E'…'` a backslash is always an escape, and never in dollar quotes, names and
/// comments. Up to this one the server's reading is ours, so that no other can come before it unseen.
pub fn backslash_in_string(text: &str) -> Option<Range<usize>> {
    Lexer::new(text, Dialect::Postgres).find_map(|token| {
        let string = &text[token.span.clone()];
        let at = token.span.start + string.find('\\').filter(|_| string.starts_with('\''))?;
        Some(at..at + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_backslash_in_a_plain_string_is_read_in_two_ways() {
        for text in [
            "-- keeps \\d only\nSELECT 1;",
            "/* \\ '\\' */ SELECT 'a';",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '\\d' $$;",
            "SELECT $a$ \\ $a$, E'\\'\\d', e'a'\n'\\d', \"a\\b\";",
        ] {
            assert_eq!(backslash_in_string(text), None, "{text}");
        }
        for text in [
            "SELECT '\\d'",
            "SELECT 'a'\n'\\d'",
            "SELECT E'\\d' '\\d'",
            "SELECT U&'\\0041', N'\\'",
            "SELECT 'ends nowhere \\",
        ] {
            let first = text.replace("E'\\d'", "E'.d'").find('\\').map(|at| at..at + 1);
            assert_eq!(backslash_in_string(text), first, "{text}");
        }
    }
}
