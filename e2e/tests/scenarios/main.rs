//! What Plimsoll promises to whoever runs it on Kubernetes, each promise as a scenario.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails the test")]

mod delivery;
mod exec;
mod failure;
mod kinds;
mod mysql;
mod names;
mod policy;
mod rollback;
mod rollout;
mod scene;
mod security;
mod seed;
mod sidecar;
