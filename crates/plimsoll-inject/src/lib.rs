//! From a Kubernetes object to the same object with a gate in it.
//!
//! Pure: objects and texts in, objects and texts out. Nothing here reads a file, a clock or the environment.
//! [`inject`] is `add(remove(x))`: what an earlier run did is undone first, from the record that it left in an
//! annotation, so that a second run with the same options changes nothing. [`inject`] is for whoever names an input and wants
//! gates in it, and would be told in vain that none was put in; [`inject_one`] is for whoever sees objects pass by.

mod annotations;
mod change;
mod detect;
mod digest;
mod earlier;
mod edit;
mod facts;
mod gate;
mod hidden;
mod images;
mod inject;
pub mod krm;
pub mod options;
mod outcome;
mod place;
pub mod policy;
mod record;
mod select;
mod settings;
mod source;
mod survey;
mod target;
pub mod text;
mod value;
mod values;
mod workload;

pub use inject::{Facts, Injected, InjectedOne, Texts, inject, inject_one, remove};
pub use options::Given;
pub use outcome::{Action, At, Outcome, Restored, Trouble};
