//! MySQL and MariaDB, under each of the settings that decide how a script is read.

#![no_main]

use std::ops::Range;

use libfuzzer_sys::fuzz_target;
use plimsoll_core::script::mysql::{Server, split};

/// Versions as servers say them, each with an `sql_mode`.
const SERVERS: [(&str, &str); 4] = [
    ("8.0.36", ""),
    ("8.0.36", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"),
    ("10.11.6-MariaDB", ""),
    ("10.11.6-MariaDB", "ANSI"),
];

/// What changes how the rest of the script is read: then a statement says another thing by itself.
const CHANGES_THE_REST: [&str; 2] = ["delimiter", "sql_mode"];

fn spans(text: &str, server: &Server) -> Option<Vec<Range<usize>>> {
    Some(split(text, server).ok()?.into_iter().map(|statement| statement.span).collect())
}

fuzz_target!(|text: &str| {
    let lower = text.to_ascii_lowercase();
    for (version, sql_mode) in SERVERS {
        let server = Server::parse(version, sql_mode);
        let Some(found) = spans(text, &server) else { continue };
        if CHANGES_THE_REST.iter().any(|word| lower.contains(word)) {
            plimsoll_fuzz::check_order(text, &found);
        } else {
            // At the very end of a text `--` is a comment, before anything else it is two signs; in a body that does not
            // end, a semicolon is a part of it.
            plimsoll_fuzz::check(text, &found, &[";", "", "--"], |text| {
                spans(text, &server).unwrap_or_default()
            });
        }
    }
});
