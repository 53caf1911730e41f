//! What runs inside the pods: Plimsoll's image, and an application for it to gate.

use std::path::PathBuf;

use super::Places;
use crate::image;
use crate::process::{Outcome, cargo, run};

const TARGET: &str = "x86_64-unknown-linux-musl";

/// The application: static, for an image without a libc.
pub(super) fn application(places: &Places) -> PathBuf {
    places.root.join("target").join(TARGET).join("debug/backend")
}

/// The directory of Plimsoll's image and of what is in it.
pub(super) fn image(places: &Places) -> PathBuf {
    places.root.join("target/image/amd64")
}

/// Builds them, and the tests too: a mistake in those shows before a cluster is started for them.
pub(super) fn build(places: &Places, profile: &str) -> Outcome {
    image::image(&places.root, &["--profile".to_owned(), profile.to_owned()])?;
    let application = ["build", "--locked", "--target", TARGET, "--package", "plimsoll-e2e-backend"];
    run(cargo(&places.root).args(application))?;
    run(cargo(&places.root).args(["test", "--no-run", "--locked", "--package", "plimsoll-e2e"]))
}
