//! The same transformation through the programs that people have: kustomize, Helm 3, Helm 4, kubectl. No cluster is needed.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails the test")]

mod helm;
mod krew;
mod kubectl;
mod kustomize;
mod objects;
