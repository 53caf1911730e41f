//! Kubernetes manifests.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| plimsoll_fuzz::manifests::check(text));
