//! Streams of YAML or JSON documents, changed without touching anything else.
//!
//! [`Stream::parse`] reads a text and keeps it; [`Stream::rewrite`] takes the documents that are wanted and changes the
//! text where they differ. Everything else stays byte for byte: comments, order, quotes, anchors, blank lines, line
//! breaks. Whatever comes out has been read again and means exactly what was wanted; otherwise it is an error.

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
