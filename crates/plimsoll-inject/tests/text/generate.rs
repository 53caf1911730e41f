//! Texts as people write them: the same kind of thing in many ways.

use proptest::prelude::*;
use serde_json::Value;

/// A piece of a manifest, with how it is written.
#[derive(Clone, Debug)]
enum Piece {
    /// On the line of its key or dash, with what stands behind it.
    Line(String, Remark),
    /// The lines of a block scalar and its indicator.
    Block(&'static str, Vec<String>),
    Sequence {
        offset: usize,
        width: usize,
        items: Vec<Piece>,
    },
    Mapping {
        offset: usize,
        entries: Vec<(usize, Piece)>,
        remark: Remark,
    },
}

type Remark = &'static str;

fn remark() -> impl Strategy<Value = Remark> {
    prop::sample::select(vec!["", "", "", " # why", "  \t# why", "   "])
}

fn word() -> impl Strategy<Value = String> {
    let words = [
        "",
        "~",
        "null",
        "plain",
        "two words",
        "'single'",
        "\"double\"",
        "\"a \\\n b\"",
        "0123",
        "yes",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[a, b]",
        "[ a , b ]",
        "{a: 1}",
        "{ a: 1, b: [c] }",
        "[{ name: A, value: \"1\" }]",
        "[a, b,]",
        "1.5",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn piece() -> impl Strategy<Value = Piece> {
    let line = (word(), remark()).prop_map(|(word, remark)| Piece::Line(word, remark));
    let lines = prop::collection::vec(prop::sample::select(vec!["a", "  b", "", "# c", "d: e"]), 1..4);
    let block = (prop::sample::select(vec!["|", "|-", "|+", ">", ">-", ">+"]), lines).prop_map(
        |(indicator, lines)| {
            let first = std::iter::once("first".to_owned());
            Piece::Block(indicator, first.chain(lines.into_iter().map(str::to_owned)).collect())
        },
    );
    prop_oneof![4 => line, 1 => block].prop_recursive(4, 24, 4, |inner| {
        let items = prop::collection::vec(inner.clone(), 1..4);
        let sequence = (0usize..5, 2usize..5, items).prop_map(|(offset, width, items)| Piece::Sequence {
            offset,
            width,
            items,
        });
        let entries = prop::collection::vec((0usize..4, inner), 1..4);
        let mapping = (1usize..5, entries, remark()).prop_map(|(offset, entries, remark)| Piece::Mapping {
            offset,
            entries,
            remark,
        });
        prop_oneof![sequence, mapping]
    })
}

/// A stream of one or two documents.
pub(crate) fn manifest() -> impl Strategy<Value = String> {
    let document = prop::collection::vec((0usize..4, piece()), 1..5);
    let documents = prop::collection::vec(document, 1..3);
    let breaks = prop::sample::select(vec!["\n", "\n", "\r\n"]);
    let ends = prop::sample::select(vec!["\n", "\n\n", "\n# end\n", "\nlast: 1"]);
    (documents, breaks, ends).prop_map(|(documents, line_break, end)| {
        let texts: Vec<_> = documents.iter().map(|entries| entries_text(entries, 0)).collect();
        format!("{}{end}", texts.join("\n---\n# next\n")).replace('\n', line_break)
    })
}

fn entries_text(entries: &[(usize, Piece)], column: usize) -> String {
    let indent = " ".repeat(column);
    let mut lines = Vec::new();
    for (index, (filler, piece)) in entries.iter().enumerate() {
        let entry = format!("key{index}:{}", behind_key(piece, column));
        let filler = match filler {
            1 if index > 0 => format!("\n{indent}"),
            2 if index > 0 => format!("# about it\n{indent}"),
            _ => String::new(),
        };
        lines.push(format!("{filler}{entry}"));
    }
    lines.join(&format!("\n{indent}"))
}

fn behind_key(piece: &Piece, column: usize) -> String {
    match piece {
        Piece::Line(word, remark) if word.is_empty() => (*remark).to_owned(),
        Piece::Line(word, remark) => {
            format!(" {}{remark}", word.replace('\n', &format!("\n{}", " ".repeat(column + 1))))
        }
        Piece::Block(indicator, lines) => block(indicator, lines, column + 2),
        Piece::Sequence { offset, width, items } => {
            let column = column + offset;
            format!("\n{}{}", " ".repeat(column), items_text(items, column, *width))
        }
        Piece::Mapping { offset, entries, remark } => {
            let column = column + offset;
            format!("{remark}\n{}{}", " ".repeat(column), entries_text(entries, column))
        }
    }
}

fn items_text(items: &[Piece], column: usize, width: usize) -> String {
    let item = |piece: &Piece| {
        let behind = match piece {
            Piece::Sequence { items, width: inner, .. } => {
                format!("{}{}", " ".repeat(width - 1), items_text(items, column + width, *inner))
            }
            Piece::Mapping { entries, .. } => {
                format!("{}{}", " ".repeat(width - 1), entries_text(entries, column + width))
            }
            other => behind_key(other, column),
        };
        format!("-{behind}")
    };
    items.iter().map(item).collect::<Vec<_>>().join(&format!("\n{}", " ".repeat(column)))
}

fn block(indicator: &str, lines: &[String], column: usize) -> String {
    let indent = " ".repeat(column);
    let line = |line: &String| if line.is_empty() { String::new() } else { format!("{indent}{line}") };
    format!(" {indicator}\n{}", lines.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Any value that JSON has.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let text =
        prop_oneof![any::<String>(), "[-a:{}\\[\\],#&*!|>'\"%@? \n\t0<.yYnN~+_e]{0,8}", "[ab \n]{0,12}",];
    let number = prop_oneof![any::<i64>().prop_map(Value::from), any::<u64>().prop_map(Value::from)];
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => number,
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let keys = prop_oneof![any::<String>(), "[-a:{}#&*!? \n0<.yn~]{0,5}", Just("command".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}
