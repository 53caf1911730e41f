//! The source of a schema as it may be shown: without the URLs that stand in it.

use std::ops::Range;

use super::lexer::{Kind, Token};

/// The source with every string that may hold a password replaced by asterisks, byte for byte.
///
/// Shown are the strings of lines that assign something harmless (`provider = "mysql"`), and names of variables. All
/// others in a `datasource` block are hidden wholly, and outside of it those that look like a URL: recognising just the
/// password is not enough (`?api_key=…`, or a URL that is not quite one).
pub(crate) fn masked(source: &str, tokens: &[Token], datasources: &[Range<usize>]) -> String {
    let mut bytes = source.as_bytes().to_vec();
    for (at, token) in tokens.iter().enumerate() {
        let text = &source[token.span.clone()];
        let secret = match token.kind {
            Kind::Text | Kind::OpenText
                if datasources.iter().any(|span| span.contains(&token.span.start)) =>
            {
                let harmless = is_harmless(source, &tokens[..at]) && !text.contains("://");
                !harmless && !is_variable(text.trim_matches('"'))
            }
            Kind::Text | Kind::OpenText => text.contains("://"),
            Kind::Comment => text.contains("://") && text.contains(['@', '?']),
            _ => false,
        };
        if secret {
            hide(&mut bytes[token.span.clone()]);
        }
    }
    // Whole tokens were replaced, byte by byte: what is left is UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(source.len()))
}

/// Replaces everything but quotes at the ends and line ends, so that the shape and the lines stay.
fn hide(bytes: &mut [u8]) {
    let last = bytes.len().saturating_sub(1);
    for (at, byte) in bytes.iter_mut().enumerate() {
        let quote = *byte == b'"' && (at == 0 || at == last);
        let slash = *byte == b'/' && at < 2;
        if !quote && !slash && *byte != b'\n' {
            *byte = b'*';
        }
    }
}

/// Whether the line up to here assigns to a property that holds no secret.
fn is_harmless(source: &str, before: &[Token]) -> bool {
    let assigned = before.iter().rposition(|token| token.kind == Kind::Sign('='));
    let name = assigned.and_then(|at| at.checked_sub(1)).map(|at| &source[before[at].span.clone()]);
    matches!(name, Some("provider" | "schemas" | "relationMode" | "extensions"))
}

/// Whether the text is written as a name of an environment variable is: `DATABASE_URL`.
pub(crate) fn is_variable(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    starts && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    fn shown(source: &str) -> String {
        let end = source.find('}').unwrap_or(source.len());
        masked(source, &tokens(source), std::slice::from_ref(&(0..end)))
    }

    #[test]
    fn strings_that_may_be_urls_are_hidden_and_lengths_stay() {
        let source = "datasource db {\n provider = \"mysql\"\n url = \"mysql://a b@ö\"\n u = env(\"A_1\")\n}";
        let hidden = shown(source);
        assert_eq!(hidden.len(), source.len());
        assert!(hidden.contains("provider = \"mysql\"") && hidden.contains("env(\"A_1\")"));
        assert!(hidden.contains("url = \"**************\""), "{hidden}");
    }

    #[test]
    fn urls_elsewhere_are_hidden_too() {
        assert_eq!(shown("} // mysql://a@b\n x \"a://b\""), "} //************\n x \"*****\"");
        assert_eq!(shown("} // https://pris.ly/d\n"), "} // https://pris.ly/d\n");
    }
}
