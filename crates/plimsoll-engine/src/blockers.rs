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
    /// Its statement, or the last one: its first words on one line, without the values in it.
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
    /// Nothing if that cannot be found out: no connection is left, or the database does not tell this user.
    async fn blockers(&mut self) -> Option<Vec<Blocker>>;

    /// Ends its connection, if it has one.
    async fn close(self)
    where
        Self: Sized,
    {
    }
}

/// When a statement that is under way is looked at.
///
/// To look costs a server that has enough to do, and the longer a statement has been under way, the more likely it is that it works,
/// or that who blocks it has been said: so the pauses grow. They stay shorter than the run's own limit for locks, so that a wait that
/// ends by it is met by a look whenever it begins; where the database, the role or the script has a shorter one, it may not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looks {
    /// The pause before the first.
    first: Duration,
    /// The longest pause.
    longest: Duration,
}

impl Looks {
    pub(crate) fn of(limits: &Limits) -> Self {
        const FIRST: Duration = Duration::from_secs(1);
        const LEAST: Duration = Duration::from_millis(20);
        const LONGEST: Duration = Duration::from_secs(30);
        let limit = limits.lock.unwrap_or(limits.by_default);
        if limit.is_zero() {
            return Self { first: FIRST, longest: LONGEST };
        }
        let first = (limit / 2).clamp(LEAST, FIRST);
        Self { first, longest: (limit * 4 / 5).clamp(first, LONGEST) }
    }

    fn pauses(self) -> impl Iterator<Item = Duration> {
        std::iter::successors(Some(self.first), move |pause| Some((*pause * 2).min(self.longest)))
    }
}

/// Does the work, and looks who keeps it waiting when one part of it has gone on for so long, and from then on ever more rarely. What
/// is done quickly costs nothing.
///
/// `under_way` tells since when the part that is under way has been: what was seen of one that is done is not told.
pub(crate) async fn watched<T>(
    work: impl Future<Output = T>,
    witness: &mut impl Witness,
    looks: Looks,
    under_way: impl Fn() -> Option<Instant>,
    mut see: impl FnMut(Vec<Blocker>),
) -> T {
    let looking = async {
        'part: loop {
            let since = under_way();
            // Counted from its own beginning: the pause that it began in was that of the part before it.
            let mut due = since.unwrap_or_else(Instant::now);
            let mut blind = false;
            for pause in looks.pauses() {
                due += pause;
                tokio::time::sleep_until(due.into()).await;
                if under_way() != since {
                    continue 'part;
                }
                // Who cannot tell is asked again only of the next part.
                if blind {
                    continue;
                }
                match witness.blockers().await {
                    Some(found) if under_way() == since => see(found),
                    Some(_) => continue 'part,
                    None => blind = true,
                }
                due = Instant::now();
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
    /// The next try begins: whoever kept the one before it waiting may be gone.
    pub(crate) fn next_try(&mut self) {
        self.last.clear();
    }

    /// Takes what was seen. It is news if others are seen than were said last, or if that was long ago.
    pub(crate) fn news(&mut self, found: Vec<Blocker>, now: Instant) -> Option<&[Blocker]> {
        self.last = found;
        // Of those who only may be it the oldest tells whether it is still the same trouble: the others come and go.
        let is_sure = |blocker: &&Blocker| blocker.certainty == Certainty::Sure;
        let sure: Vec<&Blocker> = self.last.iter().filter(is_sure).collect();
        let counted = if sure.is_empty() { self.last.iter().take(1).collect() } else { sure };
        let who: Vec<String> = counted.iter().map(|blocker| blocker.connection.clone()).collect();
        let is_known = |(at, whom): &(Instant, Vec<String>)| {
            who.iter().all(|one| whom.contains(one)) && now.duration_since(*at) < REMINDER
        };
        if who.is_empty() || self.said.as_ref().is_some_and(is_known) {
            return None;
        }
        self.said = Some((now, who));
        Some(&self.last)
    }

    /// Names them in the error of a migration whose last try has waited for them until its end. It is not the first step of what to
    /// do: that goes where more people look, and this is about others.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let is_blocked = matches!(error.diagnostic.code, Code::Interrupted | Code::MigrationBlocked);
        let has_waited = error.kind == Kind::Again || is_blocked;
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
    use std::cell::Cell;

    use super::*;

    fn blocker(connection: &str) -> Blocker {
        Blocker { connection: connection.to_owned(), ..Blocker::default() }
    }

    /// What is said of those who are seen one after the other, each so long after the first.
    fn said(seen: &mut Seen, looks: &[(&[&str], u64)]) -> Vec<bool> {
        let begun = Instant::now();
        let look = |(who, after): &(&[&str], u64)| {
            let found = who.iter().map(|connection| blocker(connection)).collect();
            seen.news(found, begun + Duration::from_secs(*after)).is_some()
        };
        looks.iter().map(look).collect()
    }

    #[test]
    fn who_blocks_is_said_again_after_30_seconds_and_not_before() {
        let looks: [(&[&str], u64); 5] =
            [(&["1"], 0), (&["1"], 29), (&["1"], 30), (&["1"], 59), (&["1"], 60)];
        assert_eq!(said(&mut Seen::default(), &looks), [true, false, true, false, true]);
    }

    #[test]
    fn only_who_has_not_been_named_is_news() {
        let looks: [(&[&str], u64); 5] =
            [(&[], 0), (&["1", "2"], 1), (&["2"], 2), (&["1"], 3), (&["2", "3"], 4)];
        assert_eq!(said(&mut Seen::default(), &looks), [false, true, false, false, true]);
    }

    #[test]
    fn those_who_may_be_it_come_and_go_without_a_word() {
        let possible = |name| Blocker { certainty: Certainty::Possible, ..blocker(name) };
        let (mut seen, now) = (Seen::default(), Instant::now());
        assert!(seen.news(vec![possible("1"), possible("2")], now).is_some());
        assert!(seen.news(vec![possible("1"), possible("3")], now).is_none());
        assert!(seen.news(vec![possible("3")], now).is_some());
    }

    /// A later try may end at once, by a deadlock with somebody else.
    #[test]
    fn whoever_kept_an_earlier_try_waiting_is_not_named_for_a_later_one() {
        let failed = || Error::new(Kind::Again, Diagnostic::new(Code::MigrationBlocked, "a deadlock"));
        let named = |seen: &Seen| seen.explain(failed()).diagnostic.help.concat().contains("connection 9");
        let mut seen = Seen::default();
        said(&mut seen, &[(&["9"], 0)]);
        assert!(named(&seen));
        seen.next_try();
        assert!(!named(&seen));
        assert_eq!(said(&mut seen, &[(&["9"], 1)]), [false], "it has been said");
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

    fn looks(lock: Option<Duration>) -> Looks {
        Looks::of(&Limits { lock, ..Limits::default() })
    }

    #[test]
    fn a_short_limit_is_half_over_when_somebody_looks() {
        let first = |lock| looks(lock).first;
        assert_eq!(first(None), Duration::from_secs(1));
        assert_eq!(first(Some(Duration::ZERO)), Duration::from_secs(1));
        assert_eq!(first(Some(Duration::from_millis(300))), Duration::from_millis(150));
        assert_eq!(first(Some(Duration::from_mins(1))), Duration::from_secs(1));
    }

    #[test]
    fn the_pauses_between_two_looks_grow_to_four_fifths_of_the_limit_and_to_half_a_minute_at_most() {
        let pauses = |lock| looks(lock).pauses().take(8).map(|pause| pause.as_secs()).collect::<Vec<_>>();
        assert_eq!(pauses(Some(Duration::ZERO)), [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(pauses(None), [1, 2, 4, 4, 4, 4, 4, 4]);
        assert_eq!(pauses(Some(Duration::from_mins(10))), [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    const SOON: Looks = Looks { first: Duration::from_millis(1), longest: Duration::from_millis(1) };

    /// One that counts how often it is asked, and cannot tell.
    struct Blind(u32);

    impl Witness for Blind {
        async fn blockers(&mut self) -> Option<Vec<Blocker>> {
            self.0 += 1;
            None
        }
    }

    /// A statement that is quick, or that nobody can look at, is none the slower.
    #[tokio::test]
    async fn nobody_is_asked_before_it_takes_long_nor_again_if_nobody_can_tell() {
        let mut blind = Blind(0);
        watched(std::future::ready(()), &mut blind, SOON, || None, |_| {}).await;
        assert_eq!(blind.0, 0);
        watched(tokio::time::sleep(Duration::from_millis(50)), &mut blind, SOON, || None, |_| {}).await;
        assert_eq!(blind.0, 1);
    }

    /// A connection may be to be had by then.
    #[tokio::test]
    async fn who_could_not_tell_is_asked_again_of_the_next_part() {
        let (part, mut blind) = (Cell::new(Instant::now()), Blind(0));
        let work = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            part.set(Instant::now());
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        watched(work, &mut blind, SOON, || Some(part.get()), |_| {}).await;
        assert_eq!(blind.0, 2);
    }

    /// Of several migrations each is a part.
    #[tokio::test]
    async fn what_keeps_a_part_waiting_is_not_said_of_the_next_one() {
        struct Late<'a>(&'a Cell<Instant>, u32);
        impl Witness for Late<'_> {
            async fn blockers(&mut self) -> Option<Vec<Blocker>> {
                self.0.set(Instant::now());
                self.1 += 1;
                Some(vec![blocker("1")])
            }
        }
        let (part, mut seen) = (Cell::new(Instant::now()), 0);
        let mut late = Late(&part, 0);
        let work = tokio::time::sleep(Duration::from_millis(50));
        watched(work, &mut late, SOON, || Some(part.get()), |_| seen += 1).await;
        assert!(late.1 > 0 && seen == 0, "the part was over when the answer came");
        let looks = late.1;
        let work = tokio::time::sleep(Duration::from_millis(50));
        watched(work, &mut late, SOON, || Some(Instant::now()), |_| seen += 1).await;
        assert_eq!(late.1, looks, "each part is quick");
    }
}
