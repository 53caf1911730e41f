//! What a scalar means to Kubernetes.
//!
//! The API server, kubectl and kustomize read YAML through `sigs.k8s.io/yaml`, which is go-yaml 2: YAML 1.1 with the
//! octal numbers of both versions, without numbers of base 60, and with dates as strings.

use serde_json::{Number, Value};

/// The value of a plain scalar without a tag.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => true.into(),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => false.into(),
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => number(text).map_or_else(|| text.into(), Value::Number),
    }
}

/// The number that a text is read as, if it is one. Infinities and `.nan` are none: JSON does not have them.
pub(super) fn number(text: &str) -> Option<Number> {
    match text.as_bytes().first()? {
        b'.' => float(text),
        b'+' | b'-' | b'0'..=b'9' => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| float(&digits))
        }
        _ => None,
    }
}

/// Whether a text is one of the numbers that JSON cannot say.
pub(super) fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn integer(text: &str) -> Option<Number> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    // Rust would take another sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if !is_negative {
        // Go does not take a sign with what only fits without one.
        return (magnitude <= i64::MAX.cast_unsigned() || !text.starts_with('+')).then(|| magnitude.into());
    }
    0i64.checked_sub_unsigned(magnitude).map(Number::from)
}

/// A decimal floating-point number; Rust's own reader would take `inf` and `nan` too.
fn float(text: &str) -> Option<Number> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let has_digit = text.split(['e', 'E']).next()?.bytes().any(|byte| byte.is_ascii_digit());
    if !is_decimal || !has_digit {
        return None;
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scalar_means_what_it_means_to_the_api_server() {
        // Compared with what `sigs.k8s.io/yaml` 1.6.0 makes of the same words.
        let expected = [
            ("yes", json!(true)),
            ("n", json!(false)),
            ("Off", json!(false)),
            ("~", json!(null)),
            ("", json!(null)),
            ("0644", json!(420)),
            ("0o644", json!(420)),
            ("0x1F", json!(31)),
            ("-0b11", json!(-3)),
            ("1_000", json!(1000)),
            ("+1", json!(1)),
            ("08", json!(8.0)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1e999", json!("1e999")),
            ("12:30:45", json!("12:30:45")),
            ("2001-01-01", json!("2001-01-01")),
            ("-", json!("-")),
            ("+-1", json!("+-1")),
            ("0x", json!("0x")),
            ("1.2.3", json!("1.2.3")),
            ("e3", json!("e3")),
            ("yEs", json!("yEs")),
            ("infinity", json!("infinity")),
        ];
        for (text, value) in expected {
            assert_eq!(plain(text), value, "{text}");
        }
    }
}
