//! What is said, to whom, and how: JSON, colours, the live line, variables, wrong arguments.

mod arguments;
mod json;
mod log;
mod passwords;
mod terminal;
mod termination;
