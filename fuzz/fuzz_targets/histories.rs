//! The history that a database tells of.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| plimsoll_fuzz::histories::check(text));
