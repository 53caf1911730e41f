//! The checksum that Prisma stores for a script.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 over the text of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// Hashes the text as it is: nothing is trimmed, a byte order mark counts.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The digits of the form that is stored.
    pub(crate) fn digits(self) -> [u8; 64] {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&digits(byte));
        }
        text
    }

    /// The form without leading zeros in each byte, which early versions of Prisma Migrate wrote by mistake.
    fn unpadded(self) -> String {
        self.0.iter().fold(String::new(), |text, byte| text + &format!("{byte:x}"))
    }

    /// Whether this is what `stored` says. Asked for each migration in each run: nothing is allocated for the everyday form.
    pub(crate) fn is_stored_as(self, stored: &str) -> bool {
        if stored.len() == 2 * self.0.len() {
            stored.as_bytes().chunks_exact(2).zip(self.0).all(|(pair, byte)| *pair == digits(byte))
        } else {
            self.unpadded() == stored
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

/// Bytes as two small digits each.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| digits(*byte)).map(char::from).collect()
}

/// A byte as two small digits.
fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]
}

/// Whether `stored` was made from this text, or from the same text with other line ends.
pub fn matches(stored: &str, text: &str) -> bool {
    Checksum::of(text).is_stored_as(stored)
        || Checksum::of(&text.replace("\r\n", "\n")).is_stored_as(stored)
        || Checksum::of(&text.replace('\n', "\r\n")).is_stored_as(stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_checksum_is_lowercase_sha256() {
        assert_eq!(
            Checksum::of("").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn the_old_form_without_padding_still_matches() {
        // SHA-256 of `abc` has the bytes 0x01, 0x03 and 0x00: the old form is shorter.
        let old = Checksum::of("abc").unpadded();
        assert!(old.len() < 64);
        assert!(matches(&old, "abc"));
        assert!(!matches(&old, "x"));
    }

    proptest! {
        #[test]
        fn line_ends_do_not_matter_and_everything_else_does(lines in prop::collection::vec("[a-z ;']{0,12}", 1..8)) {
            let unix = lines.join("\n");
            let dos = lines.join("\r\n");
            prop_assert!(matches(&Checksum::of(&unix).to_string(), &dos));
            prop_assert!(matches(&Checksum::of(&dos).to_string(), &unix));
            let changed = format!("{unix}x");
            prop_assert!(!matches(&Checksum::of(&unix).to_string(), &changed));
        }
    }
}
