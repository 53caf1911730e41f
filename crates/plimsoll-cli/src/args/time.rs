//! Times as people write them.

use std::time::Duration;

/// Longer than anybody waits, and short enough to be added to a clock.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Reads `90`, `90s`, `500ms`, `10m` or `2h`; a number alone is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 =
        text[..digits].parse().map_err(|_| "expected a time such as `30s`, `5m` or `0`".to_owned())?;
    let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
    let duration = match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        _ => None,
    };
    duration
        .filter(|duration| *duration <= YEAR)
        .ok_or_else(|| "expected a time such as `30s`, `5m` or `0`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_units() {
        let seconds = |text: &str| duration(text).map(|duration| duration.as_millis());
        assert_eq!(seconds("90"), Ok(90_000));
        assert_eq!(seconds("500ms"), Ok(500));
        assert_eq!(seconds("2h"), Ok(7_200_000));
        assert_eq!(seconds("0"), Ok(0));
        for wrong in ["", "s", "1d", "-1", "1.5s", "99999999999999999999", "9999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
