//! What was found in an object, what was decided, and why.

use std::fmt;

use plimsoll_core::Diagnostic;

/// Where an object stands in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The document, counted from 0.
    pub document: usize,
    /// The JSON pointer of the object in its document; empty unless it is an item of a `List`.
    pub pointer: String,
}

/// What happened to a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It has a gate now, as these options make it.
    Gated,
    /// It had a gate before, which was left as it is.
    Kept,
    /// The gate of an earlier run was taken out.
    Removed,
    /// Nothing was done.
    Left,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gated => "gated",
            Self::Kept => "kept as it is",
            Self::Removed => "gate removed",
            Self::Left => "left alone",
        })
    }
}

/// What was found in one workload, what was decided and why.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Where the workload stands.
    pub at: At,
    /// Kind and name, as in `Deployment/my-backend`.
    pub name: String,
    /// What happened to it.
    pub action: Action,
    /// Sentences: what was found and decided, in the order of the decisions.
    pub reasons: Vec<String>,
    /// Sentences: what a person may want to change, which nothing here changes without being asked.
    pub advice: Vec<String>,
}

/// A value that came back with the text that it had before a gate was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The document, counted from 0.
    pub document: usize,
    /// The JSON pointer of the value in its document, after the change.
    pub pointer: String,
    /// The text that the caller supplied when the value was replaced.
    pub text: String,
}

/// What keeps a workload, or the whole input, from being gated.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// The workload, if it is about one.
    pub at: Option<At>,
    /// What is wrong, and what to do.
    pub diagnostic: Diagnostic,
}
