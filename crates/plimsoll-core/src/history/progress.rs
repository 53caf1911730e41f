//! How far an attempt has got, as one line of JSON behind the words for people in a row's `logs`.
//!
//! Whoever carries on after a runner that died has nothing else to go by, so it is written before what it speaks of is
//! begun, and a line that cannot be read is no progress at all.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The version of the line. A runner that meets another one leaves the row to a person.
const VERSION: u64 = 1;

/// How the line of a failed attempt begins that was rolled back: what a query looks for, to use its row again.
pub const FAILURE_MARK: &str = r#"{"plimsoll":1,"state":"rolled back""#;

/// What a row remembers of an attempt that has not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How the attempt stands.
    pub attempt: Attempt,
    /// The name of the runner that wrote this.
    pub runner: String,
    /// The statements of the script that are done.
    pub done: Done,
    /// The statement behind those, if it may have been sent.
    pub under_way: Option<UnderWay>,
}

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is under way, or its runner died in it: the next runner carries on.
    Running,
    /// It failed, and what is done stays done: a person decides.
    Failed,
    /// It failed in a statement of which nobody knows what it left. Carrying on sends that again: a person looks first.
    Doubtful,
    /// It stopped where carrying it on would be wrong or useless: a person undoes or completes it by hand.
    ByHand,
    /// It failed and nothing of it is left: the next start tries again.
    RolledBack,
}

impl Attempt {
    const ALL: [Self; 5] = [Self::Running, Self::Failed, Self::Doubtful, Self::ByHand, Self::RolledBack];

    fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Doubtful => "doubtful",
            Self::ByHand => "by hand",
            Self::RolledBack => "rolled back",
        }
    }
}

/// The statements of a script that are done, counted and hashed, so that another text is not taken for the one that was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// How many.
    pub count: usize,
    /// SHA-256 over their texts, in hexadecimal; empty if there are none.
    pub hash: String,
}

impl Done {
    /// These statements, by their texts.
    pub fn of<'a>(statements: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut count, mut hash) = (0, Sha256::new());
        for statement in statements {
            count += 1;
            // The length keeps two texts from being taken for one that is cut elsewhere.
            hash.update(u64::try_from(statement.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(statement);
        }
        let hash = if count == 0 { String::new() } else { crate::checksum::hexadecimal(&hash.finalize()) };
        Self { count, hash }
    }

    /// Whether a script of these statements begins with them.
    pub fn begins(&self, statements: &[&str]) -> bool {
        statements.get(..self.count).is_some_and(|begun| Self::of(begun.iter().copied()) == *self)
    }
}

/// A statement that may have been sent and whose outcome has not been recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// What the database looked like before it, by the name of the thing: only a change since then proves that the statement
    /// took effect.
    pub before: BTreeMap<String, String>,
}

impl Progress {
    /// An attempt of which nothing is done.
    pub fn new(attempt: Attempt, runner: &str) -> Self {
        Self { attempt, runner: runner.to_owned(), done: Done::default(), under_way: None }
    }

    /// What an earlier runner has written, if this version understands it.
    pub fn parse(logs: &str) -> Option<Self> {
        let line = logs.lines().next_back().filter(|line| line.starts_with("{\"plimsoll\":"))?;
        let line: Map<String, Value> = serde_json::from_str(line).ok()?;
        if line.get("plimsoll")?.as_u64()? != VERSION {
            return None;
        }
        let word = line.get("state")?.as_str()?;
        Some(Self {
            attempt: Attempt::ALL.into_iter().find(|attempt| attempt.word() == word)?,
            runner: line.get("runner")?.as_str()?.to_owned(),
            done: match line.get("done") {
                Some(done) => read_done(done)?,
                None => Done::default(),
            },
            under_way: match line.get("before") {
                Some(before) => Some(UnderWay { before: read_before(before)? }),
                None => None,
            },
        })
    }

    /// The text of `logs`: words for people, then the line.
    pub fn log(&self, words: &str) -> String {
        format!("{words}\n{}", in_ascii(&self.line()))
    }

    /// The same of an attempt that is under way.
    pub fn running_log(&self) -> String {
        let done = match self.done.count {
            0 => String::new(),
            count => format!(" ({count} of its statements are done)"),
        };
        self.log(&format!(
            "Plimsoll is applying this migration{done}, or its runner died: the next start carries on."
        ))
    }

    fn line(&self) -> Value {
        let mut line = Map::new();
        line.insert("plimsoll".to_owned(), VERSION.into());
        line.insert("state".to_owned(), self.attempt.word().into());
        line.insert("runner".to_owned(), self.runner.as_str().into());
        if self.done.count > 0 {
            let done = serde_json::json!({ "count": self.done.count, "hash": self.done.hash });
            line.insert("done".to_owned(), done);
        }
        if let Some(under_way) = &self.under_way {
            let before = under_way.before.iter().map(|(name, fact)| (name.clone(), fact.as_str().into()));
            line.insert("before".to_owned(), Value::Object(before.collect()));
        }
        Value::Object(line)
    }
}

/// JSON whose texts are in ASCII: the column may be of a character set that has not every letter of a table's name.
fn in_ascii(line: &Value) -> String {
    let mut text = String::new();
    for unit in line.to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => write!(text, "\\u{unit:04x}").expect("a string takes every text"),
        }
    }
    text
}

fn read_done(done: &Value) -> Option<Done> {
    let count = usize::try_from(done.get("count")?.as_u64()?).ok()?;
    let hash = done.get("hash")?.as_str()?.to_owned();
    // Nothing has no hash: who wrote one meant something that this version does not know.
    (count > 0 || hash.is_empty()).then_some(Done { count, hash })
}

fn read_before(before: &Value) -> Option<BTreeMap<String, String>> {
    let fact = |(name, fact): (&String, &Value)| Some((name.clone(), fact.as_str()?.to_owned()));
    before.as_object()?.iter().map(fact).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::Code;
    use crate::diagnostic::Diagnostic;

    #[test]
    fn the_line_of_a_rolled_back_attempt_begins_with_what_queries_look_for() {
        let failure = Diagnostic::new(Code::MigrationFailed, "boom");
        let log = super::super::failure_log("1_init", &failure, "pod");
        assert!(log.lines().next_back().unwrap().starts_with(FAILURE_MARK), "{log}");
    }

    #[test]
    fn what_another_version_wrote_is_no_progress() {
        for log in ["", "{", "{\"plimsoll\":2,\"state\":\"running\",\"runner\":\"a\"}", "{\"plimsoll\":1}"] {
            assert_eq!(Progress::parse(log), None, "{log}");
        }
    }

    #[test]
    fn a_hash_of_nothing_is_no_progress() {
        let line = |hash: &str| {
            format!(
                "{{\"plimsoll\":1,\"state\":\"running\",\"runner\":\"a\",\"done\":{{\"count\":0,\"hash\":\"{hash}\"}}}}"
            )
        };
        assert_eq!(Progress::parse(&line("x")), None);
        assert_eq!(Progress::parse(&line("")), Some(Progress::new(Attempt::Running, "a")));
    }

    #[test]
    fn statements_that_are_cut_elsewhere_are_others() {
        assert_ne!(Done::of(["ab", "c"]), Done::of(["a", "bc"]));
        assert!(Done::of(["a"]).begins(&["a", "b"]) && Done::default().begins(&[]));
        assert!(!Done::of(["a"]).begins(&["b"]) && !Done::of(["a", "b"]).begins(&["a"]));
    }

    proptest! {
        #[test]
        fn progress_is_read_as_it_was_written(
            runner in any::<String>(),
            words in any::<String>(),
            statements in prop::collection::vec(any::<String>(), 0..4),
            before in prop::option::of(prop::collection::btree_map(any::<String>(), any::<String>(), 0..4)),
            attempt in prop::sample::select(Attempt::ALL.to_vec()),
        ) {
            let done = Done::of(statements.iter().map(String::as_str));
            let progress = Progress { attempt, runner, done, under_way: before.map(|before| UnderWay { before }) };
            let log = progress.log(&words);
            prop_assert!(log[words.len()..].is_ascii(), "{}", log);
            prop_assert_eq!(Progress::parse(&log), Some(progress));
        }
    }
}
