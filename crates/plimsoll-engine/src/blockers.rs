//! Who keeps a migration waiting: looked for from outside as soon as it may be waiting, and said.

use std::time::{Duration, Instant};

use plimsoll_core::secret::{hide, mask};
use plimsoll_core::{Code, Diagnostic, Secret};

use crate::error::{Error, Kind};
use crate::limits::Limits;
use crate::lock::REMINDER;

/// A connection that holds what a migration waits for, as far as the database tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocker {
    /// The database's number for it.
    pub connection: String,
    /// As whom it has logged in.
    pub user: Option<String>,
    /// The name that it carries.
    pub application: Option<String>,
    /// From where it is connected.
    pub address: Option<String>,
    /// What it does, in the words of the database: `idle in transaction`, `active`.
    pub state: Option<String>,
    /// How long ago its transaction began, by the database's clock.
    pub open_for: Option<Duration>,
    /// Its statement, or the last one: its first words on one line, without passwords that can be recognised.
    pub query: Option<String>,
    /// Whether the database says that it is this one.
    pub certainty: Certainty,
}

impl Blocker {
    /// The same, without this password in what others have said about themselves.
    #[must_use]
    pub fn hiding(mut self, password: &Secret) -> Self {
        let texts =
            [&mut self.user, &mut self.application, &mut self.address, &mut self.state, &mut self.query];
        for text in texts {
            *text = text.take().map(|text| hide(&text, password));
        }
        self
    }
}

/// Whether a blocker is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certainty {
    /// The database says that it holds what the migration waits for.
    #[default]
    Sure,
    /// It has a transaction open, and the database does not tell who holds what.
    Possible,
}

/// Sees from outside what keeps a session waiting, over a connection of its own.
#[expect(async_fn_in_trait, reason = "a run is one task on one thread: no future of it has to be `Send`")]
pub trait Witness {
    /// Those who hold what the session waits for at this moment. It connects when it is first asked.
    ///
    /// Nothing if that cannot be found out, now or later: no connection is left, or the database does not tell this user.
    async fn blockers(&mut self) -> Option<Vec<Blocker>>;

    /// Ends its connection, if it has one.
    async fn close(self)
    where
        Self: Sized,
    {
    }
}

/// After how long a statement may be waiting for a lock: half of the time that it has for that, if that is short.
pub(crate) fn patience(limits: &Limits) -> Duration {
    const SOON: Duration = Duration::from_secs(1);
    const LEAST: Duration = Duration::from_millis(20);
    match limits.lock {
        Some(limit) if !limit.is_zero() => (limit / 2).clamp(LEAST, SOON),
        _ => SOON,
    }
}

/// Does the work, and looks who keeps it waiting whenever it has gone on for so long. What is done quickly costs nothing.
pub(crate) async fn watched<T>(
    work: impl Future<Output = T>,
    witness: &mut impl Witness,
    patience: Duration,
    mut see: impl FnMut(Vec<Blocker>),
) -> T {
    let looking = async {
        loop {
            tokio::time::sleep(patience).await;
            match witness.blockers().await {
                Some(found) => see(found),
                None => return std::future::pending().await,
            }
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        never = looking => never,
    }
}

/// Those who were seen to keep one migration waiting.
#[derive(Default)]
pub(crate) struct Seen {
    last: Vec<Blocker>,
    said: Option<(Instant, Vec<String>)>,
}

impl Seen {
    /// Takes what was seen. It is news if others are seen than were said last, or if that was long ago.
    pub(crate) fn news(&mut self, found: Vec<Blocker>) -> Option<&[Blocker]> {
        self.last = found;
        // Of those who only may be it the oldest tells whether it is still the same trouble: the others come and go.
        let is_sure = |blocker: &&Blocker| blocker.certainty == Certainty::Sure;
        let sure: Vec<&Blocker> = self.last.iter().filter(is_sure).collect();
        let counted = if sure.is_empty() { self.last.iter().take(1).collect() } else { sure };
        let who: Vec<String> = counted.iter().map(|blocker| blocker.connection.clone()).collect();
        let is_known = |(at, whom): &(Instant, Vec<String>)| *whom == who && at.elapsed() < REMINDER;
        if who.is_empty() || self.said.as_ref().is_some_and(is_known) {
            return None;
        }
        self.said = Some((Instant::now(), who));
        Some(&self.last)
    }

    /// Names them in the error of a migration that has waited for them until the end.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let has_waited = error.kind == Kind::Again || error.diagnostic.code == Code::Interrupted;
        if !has_waited || self.last.is_empty() {
            return error;
        }
        let help = format!("it waited for {}", describe(&self.last));
        let diagnostic: Diagnostic = error.diagnostic.help(help);
        Error { diagnostic: Box::new(diagnostic), ..error }
    }
}

/// How many are described; the rest is counted.
const MOST: usize = 3;

/// Blockers in the words that people see.
pub fn describe(blockers: &[Blocker]) -> String {
    let shown: Vec<String> = blockers.iter().take(MOST).map(one).collect();
    let more = match blockers.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let possibly = match blockers.first().map(|blocker| blocker.certainty) {
        Some(Certainty::Possible) => "a lock, which one of these may hold: ",
        _ => "",
    };
    format!("{possibly}{}{more}", shown.join("; "))
}

fn one(blocker: &Blocker) -> String {
    let known = [
        blocker.application.as_ref().map(|name| format!("`{name}`")),
        blocker.user.as_ref().map(|user| format!("user `{user}`")),
        blocker.address.as_ref().map(|address| format!("from {address}")),
        blocker.state.clone(),
        blocker.open_for.map(|length| format!("its transaction open for {} s", length.as_secs())),
        blocker.query.as_ref().map(|query| format!("statement {query}")),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    format!("connection {}{known}", blocker.connection)
}

/// A statement as a line shows it: its first words. A password is masked before that, since what is cut off may be what tells it.
pub(crate) fn first_words(statement: &str, most: usize) -> String {
    let statement = mask(statement);
    let words = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.trim_end_matches(';');
    match words.char_indices().nth(most) {
        Some((end, _)) => format!("`{}…`", &words[..end]),
        None => format!("`{words}`"),
    }
}

/// How much of the statement of a blocker is shown.
pub(crate) const QUERY: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn blocker(connection: &str) -> Blocker {
        Blocker { connection: connection.to_owned(), ..Blocker::default() }
    }

    #[test]
    fn the_same_ones_are_said_once() {
        let mut seen = Seen::default();
        assert!(seen.news(Vec::new()).is_none());
        assert!(seen.news(vec![blocker("1")]).is_some());
        assert!(seen.news(vec![blocker("1")]).is_none());
        assert!(seen.news(vec![blocker("1"), blocker("2")]).is_some());
    }

    #[test]
    fn those_who_may_be_it_come_and_go_without_a_word() {
        let possible = |name| Blocker { certainty: Certainty::Possible, ..blocker(name) };
        let mut seen = Seen::default();
        assert!(seen.news(vec![possible("1"), possible("2")]).is_some());
        assert!(seen.news(vec![possible("1"), possible("3")]).is_none());
        assert!(seen.news(vec![possible("3")]).is_some());
    }

    #[test]
    fn what_is_known_is_said_and_a_crowd_is_counted() {
        let known = Blocker {
            user: Some("app".into()),
            application: Some("billing".into()),
            state: Some("idle in transaction".into()),
            open_for: Some(Duration::from_secs(312)),
            query: Some(first_words("SELECT *\n  FROM ship;", QUERY)),
            ..blocker("4711")
        };
        let words = "connection 4711 (`billing`, user `app`, idle in transaction, its transaction open for 312 s, \
                     statement `SELECT * FROM ship`)";
        assert_eq!(describe(std::slice::from_ref(&known)), words);
        let crowd = [known, blocker("2"), blocker("3"), blocker("4"), blocker("5")];
        assert!(describe(&crowd).ends_with("; connection 2; connection 3; and 2 more"));
    }

    #[test]
    fn a_short_limit_is_half_over_when_somebody_looks() {
        let after = |lock| patience(&Limits { lock, ..Limits::default() });
        assert_eq!(after(None), Duration::from_secs(1));
        assert_eq!(after(Some(Duration::ZERO)), Duration::from_secs(1));
        assert_eq!(after(Some(Duration::from_millis(300))), Duration::from_millis(150));
        assert_eq!(after(Some(Duration::from_mins(1))), Duration::from_secs(1));
    }

    /// A statement that is quick, or that nobody can look at, is none the slower.
    #[tokio::test]
    async fn nobody_is_asked_before_it_takes_long_nor_again_if_nobody_can_tell() {
        struct Blind(u32);
        impl Witness for Blind {
            async fn blockers(&mut self) -> Option<Vec<Blocker>> {
                self.0 += 1;
                None
            }
        }
        let mut blind = Blind(0);
        watched(std::future::ready(()), &mut blind, Duration::ZERO, |_| {}).await;
        assert_eq!(blind.0, 0);
        watched(tokio::time::sleep(Duration::from_millis(50)), &mut blind, Duration::from_millis(1), |_| {})
            .await;
        assert_eq!(blind.0, 1);
    }
}
