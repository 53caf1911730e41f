//! Streams of YAML or JSON documents, changed without touching anything else.
//!
//! [`Stream::parse`] reads a text and keeps it; [`Stream::rewrite`] takes the documents that are wanted and changes the
//! text where they differ. Everything else stays byte for byte: comments, order, quotes, anchors, blank lines, line
//! breaks. Whatever comes out has been read again and means exactly what was wanted; otherwise it is an error.
//!
//! # The way
//!
//! 1. `read`: the events of the parser become a `Tree<Draft>`, whose nodes are numbered in the order of the text.
//! 2. `locate`: from the text, each node gets its exact bytes, and the tree is a `Tree<Node>`. The parser tells no dash, no
//!    header of a block scalar and no end of a block collection.
//! 3. `value`, `scalar`: what the nodes mean to Kubernetes, with aliases and merge keys resolved.
//! 4. `writer` walks tree, current and wanted document together. `merge` and `mapping` decide what becomes of the
//!    entries of a mapping, `align` and `sequence` which items are the same; what is new is written by `fresh` and
//!    `render`, what is replaced by `whole`, lines and commas by `entries` and `brackets`.
//! 5. `edits`: replacements of bytes of the text, made all at once.
//! 6. `rewrite`: the result is read again and compared. If it means something else the next of five ways is tried.
//!
//! # Who may rely on what
//!
//! * A `Draft` has no exact place: only `locate` reads its `range`. A [`Stream`] never holds one.
//! * Of a `Node`, `lead <= start <= end`. Between `lead` and `start` there is whitespace and there are comments, nothing
//!   else, unless a tag goes with a scalar. `end` is behind the last byte of its content, before the comment behind it.
//! * A block collection begins at its first and ends behind its last entry; its anchor and tag stand before `lead`. So it
//!   can be replaced, and its anchor stays.
//! * An alias means the anchor of its name that was numbered last before it. The walk is in the order of the text, so that
//!   `Writer::anchors` has what each anchor before a node *will* stand for, if it was not replaced with its node.
//! * If a document has no alias, and no text for it has one, what is equal is not even looked at. If it has, every
//!   node is: an equal alias of an anchor that changes has to be written out.
//! * Edits do not overlap. Who replaces a node edits nothing inside of it; if two edits meet all the same, `Edits::apply`
//!   has no result, and that is an error and no wrong text.
//! * Nothing but `rewrite` gives a text out, and never one that it has not read again. Everything before may be wrong
//!   about a corner of YAML: the answer is then less beautiful, or `PLM424`, and not another meaning.

mod align;
mod brackets;
mod diff;
mod edits;
mod entries;
mod fresh;
mod lines;
mod locate;
mod mapping;
mod merge;
mod read;
mod render;
mod rewrite;
mod scalar;
mod sequence;
mod stream;
mod style;
mod tree;
mod trouble;
mod value;
mod verbatim;
mod whole;
mod words;
mod writer;

pub use diff::diff;
pub use render::to_yaml;
pub use stream::Stream;
pub use verbatim::Verbatim;
