//! Whole projects, laid out in temporary directories and read through the one public function.

mod configs;
mod errors;
mod layouts;
#[cfg(test)]
mod support;
