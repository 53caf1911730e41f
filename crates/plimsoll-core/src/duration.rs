//! Times as people write them, in flags, variables and manifests.

use std::fmt;
use std::time::Duration;

/// Longer than anybody waits, and short enough to be added to a clock.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// A text that is no time; says what would be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADuration;

impl fmt::Display for NotADuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time such as `30s`, `5m` or `0`")
    }
}

impl std::error::Error for NotADuration {}

/// Reads `90`, `90s`, `500ms`, `10m` or `2h`; a number alone is seconds. More than a year is refused.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| NotADuration)?;
    let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
    let duration = match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        _ => None,
    };
    duration.filter(|duration| *duration <= YEAR).ok_or(NotADuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_units() {
        let milliseconds = |text: &str| parse(text).map(|duration| duration.as_millis());
        assert_eq!(milliseconds("90"), Ok(90_000));
        assert_eq!(milliseconds("500ms"), Ok(500));
        assert_eq!(milliseconds("2h"), Ok(7_200_000));
        assert_eq!(milliseconds("0"), Ok(0));
        for wrong in ["", "s", "1d", "-1", "1.5s", "99999999999999999999", "9999999999999h"] {
            assert_eq!(parse(wrong), Err(NotADuration), "{wrong}");
        }
    }
}
