//! What stands in an image, laid out on disk as the context of a build.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::{Arch, copy, sbom, write};
use crate::process::{Outcome, output};
use crate::setup::apt;

/// The authorities that Debian trusts. Without them no certificate could be checked in an image that has nothing else.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Puts the files of both images into the context of their build, which is thrown away first.
pub(super) fn lay_out(root: &Path, arch: Arch, binary: &Path, epoch: i64) -> Outcome {
    let home = root.join("target/image").join(arch.name());
    let context = home.join("context");
    if context.exists() {
        std::fs::remove_dir_all(&context).map_err(|error| format!("{}: {error}", context.display()))?;
    }
    let list = sbom::make(root, arch, epoch)?;
    write(&context.join("plain/usr/share/plimsoll/sbom.cdx.json"), list)?;
    plain(root, binary, &context.join("plain"))?;
    debug(root, arch, &context.join("debug"))
}

fn plain(root: &Path, binary: &Path, to: &Path) -> Outcome {
    copy(binary, &to.join("plimsoll"))?;
    set_mode(&to.join("plimsoll"), 0o755)?;
    need_certificates()?;
    let certificates = to.join(CERTIFICATES.trim_start_matches('/'));
    copy(Path::new(CERTIFICATES), &certificates)?;
    set_mode(&certificates, 0o644)?;
    let licenses = ["LICENSE-APACHE", "LICENSE-MIT"];
    licenses.iter().try_for_each(|it| copy(&root.join(it), &to.join("usr/share/doc/plimsoll").join(it)))
}

fn need_certificates() -> Outcome {
    if Path::new(CERTIFICATES).is_file() { Ok(()) } else { apt::install(CERTIFICATES, &["ca-certificates"]) }
}

/// A static `BusyBox` under each of its names.
fn debug(root: &Path, arch: Arch, to: &Path) -> Outcome {
    let programs = to.join("bin");
    copy(&busybox(root, arch)?, &programs.join("busybox"))?;
    set_mode(&programs.join("busybox"), 0o755)?;
    // The one for another processor cannot be asked here; it is built from the same list.
    let names = output(std::process::Command::new("busybox").arg("--list"))?;
    for name in names.lines().filter(|name| *name != "busybox") {
        symlink("busybox", programs.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn busybox(root: &Path, arch: Arch) -> Outcome<PathBuf> {
    apt::need("busybox", &["busybox-static"])?;
    if arch == Arch::HERE {
        return Ok("/bin/busybox".into());
    }
    apt::unpacked("busybox-static", arch.name(), &root.join("target/image").join(arch.name()))
        .map(|package| package.join("bin/busybox"))
}

fn set_mode(path: &Path, mode: u32) -> Outcome {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(|error| format!("{}: {error}", path.display()))
}
