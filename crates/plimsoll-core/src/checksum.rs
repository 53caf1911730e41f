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

    /// The form without leading zeros in each byte, which early versions of Prisma Migrate wrote by mistake.
    fn unpadded(self) -> String {
        self.0.iter().fold(String::new(), |text, byte| text + &format!("{byte:x}"))
    }

    fn is_stored_as(self, stored: &str) -> bool {
        if stored.len() == 64 || stored.is_empty() {
            self.to_string() == stored
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
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
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
