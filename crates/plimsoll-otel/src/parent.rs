//! The trace that a run belongs to, if whoever starts it says so: `TRACEPARENT` and `TRACESTATE`, as W3C's Trace Context
//! writes them and OpenTelemetry's convention for environment variables carries them.

use crate::settings::Variables;

/// The span that started this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
    pub(crate) sampled: Sampled,
    pub(crate) state: String,
}

/// Whether the trace is kept: whoever began it has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampled {
    Yes,
    No,
}

impl Parent {
    /// What the environment says. A value that cannot be understood is as if there were none, with a warning.
    pub(crate) fn read(variables: &mut Variables<'_>) -> Option<Self> {
        let given = variables.get("TRACEPARENT")?;
        let state = variables.get("TRACESTATE").unwrap_or_default();
        let parent = Self::parse(&given);
        if parent.is_none() {
            variables.warn("`TRACEPARENT` is no W3C trace context: the run gets a trace of its own".into());
        }
        parent.map(|parent| Self { state, ..parent })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let version = bytes::<1>(parts.next()?)?;
        let (trace, span) = (bytes::<16>(parts.next()?)?, bytes::<8>(parts.next()?)?);
        let [flags] = bytes::<1>(parts.next()?)?;
        // A later version may have more parts, and none is 255.
        let is_valid = version != [255] && (version != [0] || parts.next().is_none());
        let is_known = trace != [0; 16] && span != [0; 8];
        let sampled = if flags & 1 == 1 { Sampled::Yes } else { Sampled::No };
        (is_valid && is_known).then_some(Self { trace, span, sampled, state: String::new() })
    }
}

/// So many bytes in lower-case hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hexadecimal = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.as_bytes().iter().all(is_hexadecimal) {
        return None;
    }
    let mut found = [0; N];
    for (index, byte) in found.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_read_as_w3c_writes_it() {
        let parent = Parent::parse(GIVEN).unwrap();
        assert_eq!((parent.trace[0], parent.trace[15], parent.span[7]), (0x0a, 0x9c, 0x31));
        assert_eq!(parent.sampled, Sampled::Yes);
        let unsampled = Parent::parse(&GIVEN.replace("-01", "-00")).unwrap();
        assert_eq!(unsampled.sampled, Sampled::No);
        assert!(Parent::parse(&GIVEN.replacen("00", "01", 1).replace("-01", "-01-more")).is_some());
    }

    #[test]
    fn what_w3c_forbids_is_no_parent() {
        for wrong in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-é",
        ] {
            assert_eq!(Parent::parse(wrong), None, "{wrong}");
        }
    }
}
