//! The source of a config as it may be shown: without its strings.

use oxc_ast::ast::Comment;
use oxc_parser::{Kind, Token};

use crate::schema::mask::is_variable;

/// The source with the inside of every string replaced by asterisks, byte for byte, because it may be a password.
///
/// Shown are what modules are imported from, paths that start with `./` or `../`, and names of variables.
pub(super) fn masked(source: &str, tokens: &[Token], comments: &[Comment]) -> String {
    let mut bytes = source.as_bytes().to_vec();
    for comment in comments {
        hide_urls(&mut bytes[comment.span.start as usize..comment.span.end as usize]);
    }
    for (at, token) in tokens.iter().enumerate() {
        let (start, end) = (token.start() as usize, token.end() as usize);
        let Some(text) = source.get(start..end) else { continue };
        let hidden = match token.kind() {
            Kind::Str | Kind::NoSubstitutionTemplate => {
                let inner = text.trim_matches(['"', '\'', '`']);
                !(is_variable(inner) || is_relative(inner) || is_module(source, &tokens[..at]))
            }
            Kind::TemplateHead | Kind::TemplateMiddle | Kind::TemplateTail | Kind::RegExp => true,
            _ => false,
        };
        if hidden {
            hide(&mut bytes[start..end]);
        }
    }
    finish(source, bytes)
}

/// The same for a source that does not parse: everything between quotes, wherever they may be.
pub(super) fn masked_roughly(source: &str) -> String {
    let mut bytes = source.as_bytes().to_vec();
    let mut inside = None;
    for byte in &mut bytes {
        match (inside, *byte) {
            (None, quote @ (b'"' | b'\'' | b'`')) => inside = Some(quote),
            (Some(quote), byte) if byte == quote => inside = None,
            (Some(b'"' | b'\''), b'\n') => inside = None,
            (Some(_), b'\n') | (None, _) => {}
            (Some(_), _) => *byte = b'*',
        }
    }
    // An apostrophe in a comment swaps inside and outside until its line ends: hide URLs there as well.
    hide_urls(&mut bytes);
    finish(source, bytes)
}

fn hide_urls(bytes: &mut [u8]) {
    for line in bytes.split_mut(|byte| *byte == b'\n') {
        let credentials = line.contains(&b'@') || line.contains(&b'?');
        if let Some(at) = line.windows(3).position(|part| part == b"://").filter(|_| credentials) {
            line[at..].fill(b'*');
        }
    }
}

fn finish(source: &str, bytes: Vec<u8>) -> String {
    // Whole characters were replaced, byte by byte: what is left is UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(source.len()))
}

/// Replaces everything but the delimiters of strings and templates, and line ends.
fn hide(bytes: &mut [u8]) {
    let length = bytes.len();
    for (at, byte) in bytes.iter_mut().enumerate() {
        let first = at == 0 && matches!(*byte, b'"' | b'\'' | b'`' | b'}');
        let last = at + 1 == length && matches!(*byte, b'"' | b'\'' | b'`' | b'{');
        let opens = at + 2 == length && *byte == b'$';
        if !first && !last && !opens && *byte != b'\n' {
            *byte = b'*';
        }
    }
}

fn is_relative(text: &str) -> bool {
    let path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-');
    (text.starts_with("./") || text.starts_with("../")) && text.chars().all(path)
}

fn is_module(source: &str, before: &[Token]) -> bool {
    let text = |back: usize| {
        let token = before.len().checked_sub(back).and_then(|at| before.get(at));
        token.and_then(|token| source.get(token.start() as usize..token.end() as usize)).unwrap_or_default()
    };
    matches!(text(1), "from" | "import") || (text(1) == "(" && matches!(text(2), "require" | "import"))
}
