//! SQLite.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::script::sqlite::{shape, statement_spans};

fuzz_target!(|text: &str| {
    plimsoll_fuzz::check(text, &statement_spans(text), &[""], statement_spans);
    let _ = shape(text);
});
