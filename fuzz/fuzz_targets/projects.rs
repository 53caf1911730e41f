//! The files of a project.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| plimsoll_fuzz::projects::check(text));
