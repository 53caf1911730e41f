//! From a Kubernetes object to the same object with a gate in it.
//!
//! Pure: objects and texts in, objects and texts out. Nothing here reads a file, a clock or the environment.
