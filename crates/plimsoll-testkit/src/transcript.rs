//! What a program was asked, what it said and how it ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

/// One run of a program. `Display` writes it for a snapshot, with markers for what differs from run to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The command as a person would have typed it.
    pub command: String,
    /// Everything on standard output, unchanged.
    pub stdout: String,
    /// Everything on standard error, unchanged.
    pub stderr: String,
    /// How long it took.
    pub elapsed: Duration,
    status: ExitStatus,
}

impl Transcript {
    pub(crate) fn new(
        command: String,
        stdout: String,
        stderr: String,
        status: ExitStatus,
        elapsed: Duration,
    ) -> Self {
        Self { command, stdout, stderr, elapsed, status }
    }

    /// The exit code; none if it was ended by a signal.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Fails with everything that was said unless it exited with this code.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "to have checked is often all that a test wants")]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "another exit code was expected:\n{self}");
        self
    }

    /// Fails if a password was written anywhere: to the outputs, or into these texts.
    #[track_caller]
    pub(crate) fn assert_no_password(&self, beside: &[String]) {
        let outputs = [&self.stdout, &self.stderr];
        let shown = outputs.into_iter().chain(beside).any(|text| shows_password(text));
        assert!(!shown, "a password was shown by `{}`", self.command);
    }
}

/// What every password of the tests begins with, those of the servers' users and those that a test makes up: a part of one
/// is found as well, and so is one that was escaped.
const SIGNS: [&str; 2] = ["hush", "sesame"];

/// Whether a text that a program has written holds a password of the tests.
pub fn shows_password(text: &str) -> bool {
    SIGNS.iter().any(|sign| text.contains(sign))
}

/// Fails unless each of the words is in the text.
#[track_caller]
pub fn assert_says(text: &str, words: &[&str]) {
    let flat = flat(text);
    for word in words {
        assert!(flat.contains(word), "`{word}` is missing in:\n{text}");
    }
}

/// A message without the line breaks and bars that it was drawn with: long lines are broken between words, behind a bar.
pub fn flat(text: &str) -> String {
    text.replace(['│', '├', '╰', '╭'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// In the form of the transcripts that were recorded with the real Prisma.
impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", steady(&self.command))?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            writeln!(f, "----- {name}")?;
            let text = steady(text);
            f.write_str(&text)?;
            if !text.is_empty() && !text.ends_with('\n') {
                writeln!(f, "⏎ missing")?;
            }
        }
        match (self.code(), self.signal()) {
            (Some(code), _) => writeln!(f, "----- exit code: {code}"),
            (None, Some(signal)) => writeln!(f, "----- ended by signal {signal}"),
            (None, None) => writeln!(f, "----- ended"),
        }
    }
}

/// Replaces what differs from run to run by markers: directories, database names, UUIDs, instants, ports, durations.
pub fn steady(text: &str) -> String {
    static FILTERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(filters);
    FILTERS
        .iter()
        .fold(text.to_owned(), |text, (filter, marker)| filter.replace_all(&text, *marker).into_owned())
}

fn filters() -> Vec<(Regex, &'static str)> {
    let temporary = regex::escape(&std::env::temp_dir().display().to_string());
    let directory =
        format!("{}/plimsoll-(project|sqlite|server)-[A-Za-z0-9]{{6}}", temporary.trim_end_matches('/'));
    let filters = [
        (directory.as_str(), "<$1>"),
        ("plimsoll_[0-9a-f]{32}", "<database>"),
        ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?UTC|Z|[+-]\d\d(:?\d\d)?)?", "<time>"),
        (r"(127\.0\.0\.1|localhost|\[::1\]):\d{4,5}\b", "$1:<port>"),
        (r"\b\d+(\.\d+)?( ?)(ns|µs|us|ms|s)\b", "<duration>"),
    ];
    filters
        .map(|(pattern, marker)| (Regex::new(pattern).expect("the pattern is written here"), marker))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;
    use crate::server::{Certificates, Login, Role};

    fn transcript(stdout: &str, stderr: &str) -> Transcript {
        let status = ExitStatus::from_raw(0x4100);
        Transcript::new("plimsoll deploy".into(), stdout.into(), stderr.into(), status, Duration::ZERO)
    }

    #[test]
    fn a_transcript_looks_like_those_of_the_real_prisma() {
        let text = transcript("one\n", "two").to_string();
        assert_eq!(
            text,
            "$ plimsoll deploy\n----- stdout\none\n----- stderr\ntwo⏎ missing\n----- exit code: 65\n"
        );
    }

    #[test]
    fn what_differs_from_run_to_run_becomes_a_marker() {
        let directory = std::env::temp_dir().join("plimsoll-project-a1B2c3/prisma");
        assert_eq!(steady(&directory.display().to_string()), "<project>/prisma");
        assert_eq!(steady("applied in 12.5 ms, 3s"), "applied in <duration>, <duration>");
        assert_eq!(
            steady("at 127.0.0.1:54321 since 2026-11-22T16:41:01.710Z"),
            "at 127.0.0.1:<port> since <time>"
        );
        assert_eq!(steady("20240101000000_init, line 12, 5 steps"), "20240101000000_init, line 12, 5 steps");
    }

    #[test]
    #[should_panic(expected = "a password was shown")]
    fn a_password_in_the_output_fails_the_test() {
        transcript("", "cannot log in with hush-super-7f31").assert_no_password(&[]);
    }

    #[test]
    #[should_panic(expected = "a password was shown")]
    fn an_escaped_password_in_the_output_fails_the_test() {
        let password = Role::Odd.password().unwrap();
        let escaped = utf8_percent_encode(password, NON_ALPHANUMERIC).to_string();
        transcript(&escaped, "").assert_no_password(&[]);
    }

    #[test]
    #[should_panic(expected = "a password was shown")]
    fn a_password_in_a_file_of_the_run_fails_the_test() {
        transcript("", "").assert_no_password(&["refused for sesame-4711".to_owned()]);
    }

    #[test]
    fn every_password_of_the_servers_is_known_by_its_sign() {
        let roles = Role::ALL.into_iter().filter_map(Role::password);
        let logins = Login::ALL.into_iter().filter_map(Login::password);
        for password in roles.chain(logins).chain([Certificates::IDENTITY_PASSWORD]) {
            assert!(shows_password(password));
        }
    }
}
