//! From wanted documents to changes of the text.

use std::collections::HashMap;

use granit_parser::ScalarStyle;
use plimsoll_core::Diagnostic;
use serde_json::Value;

use super::edits::Edits;
use super::style::{self, Strings, Style};
use super::tree::{Content, Node};
use super::verbatim::Verbatim;
use super::writer::{Slot, Writer};
use super::{Stream, lines, trouble};

/// Makes the changes, and reads the result again.
pub(super) fn rewrite(stream: &Stream, wanted: &[Value], verbatim: &Verbatim) -> Result<String, Diagnostic> {
    if wanted == stream.documents {
        return Ok(stream.text.clone());
    }
    if wanted.len() != stream.documents.len() {
        let (has, asked) = (stream.documents.len(), wanted.len());
        return Err(trouble::uneditable(format!("the text has {has} documents, not {asked}")));
    }
    attempt(stream, wanted, verbatim, USUAL).or_else(|error| {
        // What was wrong at first is what people can do something about.
        OTHERWISE.iter().find_map(|way| attempt(stream, wanted, verbatim, *way).ok()).ok_or(error)
    })
}

/// One way to write what is new.
#[derive(Clone, Copy)]
struct Way {
    texts: Texts,
    strings: Strings,
    end: End,
}

/// As the caller has it, or else as its surroundings do.
const USUAL: Way = Way { texts: Texts::Callers, strings: Strings::Literal, end: End::AsItIs };

/// What to try if the result of the usual way means something else: each is uglier than the one before.
const OTHERWISE: [Way; 4] = [
    // A comment that stands deeper than the lines of a new `|` above it would become part of the string.
    Way { strings: Strings::Quoted, ..USUAL },
    // A caller's text means the right thing alone, and something else where it is to stand: to a `|+` every empty line
    // belongs that follows.
    Way { texts: Texts::Ours, ..USUAL },
    // Both: the caller's text is a `|` above such a comment, and ours would be one too.
    Way { texts: Texts::Ours, strings: Strings::Quoted, ..USUAL },
    // A `|` at the very end of a text, without a line break, has none in its value. What follows it now gives it one.
    Way { end: End::Stripped, ..USUAL },
];

/// Whose texts are used for what is new.
#[derive(Clone, Copy)]
enum Texts {
    /// The caller's, where they mean the wanted value.
    Callers,
    /// None but our own.
    Ours,
}

/// What happens to a block scalar that the text ends in without a line break.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    AsItIs,
    /// Something follows it now, so that it has to say itself that it does not end with a line break.
    Stripped,
}

fn attempt(stream: &Stream, wanted: &[Value], verbatim: &Verbatim, way: Way) -> Result<String, Diagnostic> {
    let none = Verbatim::new();
    let verbatim = match way.texts {
        Texts::Callers => verbatim,
        Texts::Ours => &none,
    };
    let line_break = lines::line_break(&stream.text);
    let has_last_break = stream.text.ends_with('\n');
    let mut text = stream.text.clone();
    if !has_last_break {
        // Every line has an end then; it goes again afterwards.
        text.push_str(line_break);
    }
    let mut edits = Edits::default();
    if way.end == End::Stripped {
        strip(stream, &mut edits);
    }
    let style = Style { strings: way.strings, ..style::of(&text, &stream.tree) };
    let edits = changes(stream, &text, wanted, verbatim, &style, edits)?;
    let mut result = edits.apply(&text).ok_or_else(|| trouble::uneditable("two changes would overlap"))?;
    if !has_last_break && result.ends_with(line_break) {
        result.truncate(result.len() - line_break.len());
    }
    verified(stream, wanted, result)
}

/// What has to change in a text that ends with a line break.
fn changes(
    stream: &Stream,
    text: &str,
    wanted: &[Value],
    verbatim: &Verbatim,
    style: &Style,
    mut edits: Edits,
) -> Result<Edits, Diagnostic> {
    for (document, (root, wanted)) in stream.tree.roots.iter().zip(wanted).enumerate() {
        let current = &stream.documents[document];
        if current == wanted {
            continue;
        }
        let mut writer = Writer {
            stream,
            text,
            document,
            verbatim,
            style: style.clone(),
            line_break: lines::line_break(&stream.text),
            edits,
            anchors: HashMap::new(),
            aliases: root.aliases.max(verbatim.aliases(document)),
            pointer: String::new(),
        };
        writer.node(root.node, Slot::Root, current, wanted)?;
        edits = writer.edits;
    }
    Ok(edits)
}

/// Marks the block scalar that a text ends in as one without a line break at its end.
fn strip(stream: &Stream, edits: &mut Edits) {
    let is_block = |node: &&Node| {
        matches!(node.content, Content::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. })
    };
    let last = stream.tree.nodes.iter().rfind(is_block);
    let Some(last) = last.filter(|node| lines::is_blank(&stream.text[node.end..])) else { return };
    let from = last.start + 1;
    let is_indicator = |c: &char| matches!(c, '+' | '-' | '0'..='9');
    let indicators: String = stream.text[from..].chars().take_while(is_indicator).collect();
    let digits = indicators.replace(['+', '-'], "");
    edits.replace(from..from + indicators.len(), format!("{digits}-"));
}

/// The result, if it means what was wanted.
fn verified(stream: &Stream, wanted: &[Value], result: String) -> Result<String, Diagnostic> {
    let reread = Stream::parse(&stream.name, &result);
    if reread.as_ref().is_ok_and(|reread| reread.documents == wanted) {
        return Ok(result);
    }
    let changed = |document: &usize| stream.documents[*document] != wanted[*document];
    let document = (0..wanted.len()).find(changed).unwrap_or_default();
    let found = reread.ok().and_then(|reread| reread.documents.get(document).cloned()).unwrap_or_default();
    let pointer = difference(&found, &wanted[document]);
    let why = if pointer.is_empty() { "this document".to_owned() } else { format!("`{pointer}`") };
    let error = trouble::uneditable(format!("{why} cannot be changed without rewriting what surrounds it"));
    Err(match stream.place(document, &pointer) {
        Some(place) => error.at(place),
        None => error,
    })
}

/// The pointer to the first place where two values differ.
fn difference(one: &Value, other: &Value) -> String {
    let inside = match (one, other) {
        (Value::Object(one), Value::Object(other)) => other.iter().find_map(|(name, value)| {
            let found = one.get(name).unwrap_or(&Value::Null);
            (found != value).then(|| format!("/{}{}", escaped(name), difference(found, value)))
        }),
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other).enumerate().find_map(|(index, (one, other))| {
                (one != other).then(|| format!("/{index}{}", difference(one, other)))
            })
        }
        _ => None,
    };
    inside.unwrap_or_default()
}

/// A name as a token of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
