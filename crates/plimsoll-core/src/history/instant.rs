//! Moments, as the history holds them.

use std::fmt;

/// Microseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// Reads what Prisma's engines write into SQLite's untyped columns: milliseconds since 1970 as a number, or a time
    /// as ISO 8601 text or `YYYY-MM-DD HH:MM:SS` in UTC.
    pub fn parse_sqlite(text: &str) -> Option<Self> {
        if let Ok(milliseconds) = text.parse::<i64>() {
            return milliseconds.checked_mul(1000).map(Self);
        }
        let with_zone = text.parse::<jiff::Timestamp>();
        let instant =
            with_zone.or_else(|_| format!("{}Z", text.replace(' ', "T")).parse::<jiff::Timestamp>());
        instant.ok().map(|instant| Self(instant.as_microsecond()))
    }
}

impl Instant {
    /// The instant without the fraction of its second, for people: `2026-11-22 13:19:43 UTC`.
    pub fn to_the_second(self) -> String {
        let text = self.to_string();
        match text.split_once('.') {
            Some((seconds, _)) => format!("{seconds} UTC"),
            None => text,
        }
    }
}

impl fmt::Display for Instant {
    /// The form of Prisma's P3009: `2026-11-22 13:19:43.457960 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{}", instant.strftime("%Y-%m-%d %H:%M:%S%.6f UTC")),
            Err(_) => write!(f, "{} µs since 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_both_engines_of_prisma_are_read() {
        let expected = Instant(1_795_353_049_412_000);
        assert_eq!(Instant::parse_sqlite("1795353049412"), Some(expected));
        assert_eq!(Instant::parse_sqlite("2026-11-22T13:10:49.412+00:00"), Some(expected));
        assert_eq!(Instant::parse_sqlite("2026-11-22 13:10:49"), Some(Instant(1_795_353_049_000_000)));
        assert_eq!(Instant::parse_sqlite("yesterday"), None);
    }

    #[test]
    fn an_instant_is_shown_as_prisma_shows_it() {
        assert_eq!(Instant(1_795_353_049_412_000).to_string(), "2026-11-22 13:10:49.412000 UTC");
    }
}
