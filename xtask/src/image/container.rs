//! From laid-out files to an OCI archive, by buildah: no daemon, no registry, no root's configuration.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::facts::Facts;
use super::{Arch, write};
use crate::process::{Outcome, run};

/// An image: the stage of the Containerfile that makes it, and what is behind the version in its tag.
#[derive(Clone, Copy)]
pub(super) struct Variant {
    stage: &'static str,
    suffix: &'static str,
}

/// The image, and the one with a shell.
pub(super) const VARIANTS: [Variant; 2] =
    [Variant { stage: "plimsoll", suffix: "" }, Variant { stage: "debug", suffix: "-debug" }];

/// Nothing is pulled, so there is nothing whose signature could be asked for; buildah wants to be told.
const POLICY: &str = r#"{ "default": [{ "type": "insecureAcceptAnything" }] }"#;

/// Builds one image and returns its archive.
pub(super) fn build(root: &Path, arch: Arch, facts: &Facts, variant: Variant) -> Outcome<PathBuf> {
    let home = root.join("target/image");
    let policy = home.join("policy.json");
    write(&policy, POLICY)?;
    let archive = home.join(arch.name()).join(format!("plimsoll{}.tar", variant.suffix));
    // An archive that is there is added to.
    let _ = std::fs::remove_file(&archive);
    let mut command = buildah(&home);
    command.args(["build", "--quiet", "--format", "oci", "--target", variant.stage, "--arch", arch.name()]);
    command.args(["--timestamp", &facts.epoch.to_string()]);
    for (name, value) in arguments(facts)? {
        command.arg("--build-arg").arg(format!("{}={value}", name.to_uppercase()));
        command.arg("--annotation").arg(format!("org.opencontainers.image.{name}={value}"));
    }
    command.arg("--signature-policy").arg(&policy).arg("--file").arg(root.join("deploy/Containerfile"));
    let tag = format!("localhost/plimsoll:{}{}", facts.version, variant.suffix);
    command.arg("--tag").arg(format!("oci-archive:{}:{tag}", archive.display()));
    run(command.arg(home.join(arch.name()).join("context")))?;
    Ok(archive)
}

/// What the Containerfile is told. The same stands in the manifest, where registries look for it.
fn arguments(facts: &Facts) -> Outcome<[(&'static str, String); 4]> {
    Ok([
        ("version", facts.version.clone()),
        ("revision", facts.revision.clone()),
        ("created", facts.created()?),
        ("source", facts.source.clone()),
    ])
}

/// Buildah with a storage of its own, which needs no kernel module and no file outside of it.
fn buildah(home: &Path) -> Command {
    let mut command = Command::new("buildah");
    command.arg("--root").arg(home.join("storage")).arg("--runroot").arg(home.join("run"));
    command.args(["--storage-driver", "vfs"]);
    command
}
