//! Where lines begin and end.

/// Where the line of `at` begins, behind the mark that a text may begin with.
pub(super) fn start(text: &str, at: usize) -> usize {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    text[..at].rfind('\n').map_or(mark.min(at), |newline| newline + 1)
}

/// Where the line of `at` ends, before its line break.
pub(super) fn end(text: &str, at: usize) -> usize {
    let Some(newline) = text[at..].find('\n') else { return text.len() };
    let end = at + newline;
    if newline > 0 && text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
}

/// Where the line after the one of `at` begins.
pub(super) fn next(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// How many characters stand before `at` on its line.
pub(super) fn column(text: &str, at: usize) -> usize {
    text[start(text, at)..at].chars().count()
}

/// The whitespace that the line of `at` begins with.
pub(super) fn indent(text: &str, at: usize) -> &str {
    let line = &text[start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Whether nothing but whitespace stands before `at` on its line.
pub(super) fn is_first(text: &str, at: usize) -> bool {
    is_blank(&text[start(text, at)..at])
}

/// Whether a text is nothing but whitespace.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
}

/// The line break that a text uses.
pub(super) fn line_break(text: &str) -> &'static str {
    let first = end(text, 0);
    if text[first..].starts_with("\r\n") { "\r\n" } else { "\n" }
}

/// The first place from `from` on that is neither whitespace nor in a comment.
pub(super) fn skip(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'#' if at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r') || at == from => {
                at = end(text, at);
            }
            _ => break,
        }
    }
    at
}

/// Where `wanted` stands, if nothing but whitespace and comments precedes it.
pub(super) fn find(text: &str, from: usize, wanted: &[u8]) -> Option<usize> {
    let at = skip(text, from);
    text.as_bytes().get(at).filter(|byte| wanted.contains(byte)).map(|_| at)
}
