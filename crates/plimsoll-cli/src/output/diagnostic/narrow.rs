//! Lines that are too long to be shown, as dumps have them: the renderer ends the process for one of 65,536 columns, and
//! nobody finds anything in one.

use std::ops::Range;

/// The longest line that is shown whole, in bytes.
const WIDEST: usize = 1000;

/// The text with as many lines as before, each with at most its part around the marked bytes, or its beginning; and where
/// the marked bytes are now, as far as they are still there.
pub(super) fn narrowed(text: String, marked: Range<usize>) -> (String, Range<usize>) {
    if text.lines().all(|line| line.len() <= WIDEST) {
        return (text, marked);
    }
    let (mut narrow, mut at, mut now) = (String::new(), 0, marked.clone());
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches('\n');
        let kept = kept(body, marked.start.checked_sub(at).filter(|start| *start <= body.len()));
        if kept.start > 0 {
            narrow.push('…');
        }
        for (old, new) in [(marked.start, &mut now.start), (marked.end, &mut now.end)] {
            if (at..=at + line.len()).contains(&old) {
                *new = narrow.len() + (old - at).clamp(kept.start, kept.end) - kept.start;
            }
        }
        narrow.push_str(&body[kept.clone()]);
        if kept.end < body.len() {
            narrow.push('…');
        }
        narrow.push_str(&line[body.len()..]);
        at += line.len();
    }
    (narrow, now)
}

/// What is kept of a line: some of it on either side of a place, if that is in it.
fn kept(line: &str, place: Option<usize>) -> Range<usize> {
    if line.len() <= WIDEST {
        return 0..line.len();
    }
    let start = place.unwrap_or(0).saturating_sub(WIDEST / 2).min(line.len() - WIDEST);
    let start = line.floor_char_boundary(start);
    start..line.floor_char_boundary(start + WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_stays_marked() {
        let long = "é".repeat(WIDEST);
        for (text, word) in [
            (format!("a\n{long}boom{long}\n{long}\nb"), "boom"),
            (format!("boom{long}"), "boom"),
            (format!("{long}boom"), "boom"),
            (format!("{long}\nboom\n{long}"), "boom"),
            (format!("{long}\n"), ""),
        ] {
            let start = if word.is_empty() { text.len() } else { text.find(word).expect("it is there") };
            let (narrow, marked) = narrowed(text.clone(), start..start + word.len());
            assert_eq!(&narrow[marked], word, "{text}");
            assert_eq!(narrow.lines().count(), text.lines().count());
            assert!(narrow.lines().all(|line| line.len() <= WIDEST + 2 * '…'.len_utf8()), "{narrow}");
        }
    }

    #[test]
    fn of_a_statement_of_many_long_lines_the_ends_of_the_mark_are_kept_in_order() {
        let text = format!("{}\n", "x".repeat(3 * WIDEST)).repeat(3);
        for start in (0..text.len()).step_by(97) {
            for end in (start..text.len()).step_by(89) {
                let (narrow, marked) = narrowed(text.clone(), start..end);
                assert!(narrow.get(marked.clone()).is_some(), "{start}..{end}: {marked:?}");
            }
        }
    }

    #[test]
    fn lines_that_can_be_shown_stay_as_they_are() {
        let text = format!("{}\n", "x".repeat(WIDEST)).repeat(2);
        assert_eq!(narrowed(text.clone(), 3..1500), (text, 3..1500));
    }
}
