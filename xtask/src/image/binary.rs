//! The one binary: for a C library that is part of it, so that it runs where there is nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::release::{self, Places};
use super::{Arch, MOST_BYTES, Options, tools};
use crate::process::{Outcome, cargo, output, run};
use crate::say;
use crate::setup::apt;

/// The versions that have been seen building together: Zig is the C compiler for another processor.
const ZIG: [&str; 2] = ["ziglang==0.13.0.post1", "cargo-zigbuild==0.24.0"];

/// Builds the binary and returns its path, once it is known to be static and, if it is to be released, small. The symbols of a
/// release are in a file beside it.
pub(super) fn build(root: &Path, options: &Options) -> Outcome<PathBuf> {
    build_into(root, &target_directory(root)?, options)
}

/// The same, into this directory.
pub(super) fn build_into(root: &Path, target: &Path, options: &Options) -> Outcome<PathBuf> {
    need_target(options.arch)?;
    let is_release = options.profile == "release";
    let mut command = compiler(root, options.arch)?;
    command.args(["--locked", "--package", "plimsoll-cli", "--target", options.arch.target()]);
    command.args(["--profile", &options.profile]).env("CARGO_TARGET_DIR", target);
    if is_release {
        release::prepare(&mut command, options.arch, &Places { root, cargo: &cargo_home()?, target });
    }
    run(&mut command)?;
    let binary = target.join(options.arch.target()).join(directory_of(&options.profile)).join("plimsoll");
    must_be_static(&binary)?;
    if is_release {
        release::apart(&binary, options.arch)?;
        must_be_small(&binary)?;
    }
    Ok(binary)
}

/// Where Cargo keeps the sources of the registry.
fn cargo_home() -> Outcome<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).ok_or("there is no CARGO_HOME".into())
}

fn need_target(arch: Arch) -> Outcome {
    let installed = output(Command::new("rustup").args(["target", "list", "--installed"]))?;
    if installed.lines().any(|line| line == arch.target()) {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add", arch.target()]))
}

/// Cargo with a C compiler for the processor: SQLite and the cryptography have parts in C.
fn compiler(root: &Path, arch: Arch) -> Outcome<Command> {
    let mut command = cargo(root);
    if arch == Arch::HERE {
        apt::need("musl-gcc", &["musl-tools"])?;
        command.arg("build");
        return Ok(command);
    }
    let tools = zig(root)?;
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([tools].into_iter().chain(std::env::split_paths(&inherited)));
    command.env("PATH", path.map_err(|error| format!("PATH: {error}"))?).arg("zigbuild");
    Ok(command)
}

/// Installs Zig and its adapter for Cargo from Python's registry, beside nothing else.
fn zig(root: &Path) -> Outcome<PathBuf> {
    let home = tools(root).join("zig");
    let programs = home.join("bin");
    if programs.join("cargo-zigbuild").is_file() {
        return Ok(programs);
    }
    apt::need("python3", &["python3", "python3-venv"])?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    run(Command::new(programs.join("pip")).args(["install", "--quiet"]).args(ZIG))?;
    Ok(programs)
}

/// Where Cargo builds, which may be configured to be anywhere.
pub(crate) fn target_directory(root: &Path) -> Outcome<PathBuf> {
    let text = output(cargo(root).args(["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("`cargo metadata`: {error}"))?;
    metadata["target_directory"].as_str().map(PathBuf::from).ok_or("`cargo metadata` names no target".into())
}

/// The profile `dev` has another name on disk, for reasons of history.
fn directory_of(profile: &str) -> &str {
    if profile == "dev" { "debug" } else { profile }
}

/// A binary that names an interpreter or a library would not start in an image that has neither.
fn must_be_static(binary: &Path) -> Outcome {
    let listing = output(
        Command::new("readelf")
            .args(["--wide", "--program-headers", "--dynamic"])
            .arg(binary)
            .env("LC_ALL", "C"),
    )?;
    match listing.lines().find(|line| line.contains("INTERP") || line.contains("(NEEDED)")) {
        None => Ok(()),
        Some(line) => Err(format!("{} is not static: {}", binary.display(), line.trim())),
    }
}

fn must_be_small(binary: &Path) -> Outcome {
    let size = std::fs::metadata(binary).map_err(|error| format!("{}: {error}", binary.display()))?.len();
    say(&format!("image: the binary has {size} bytes"));
    if size <= MOST_BYTES {
        return Ok(());
    }
    Err(format!("{} has {size} bytes, {MOST_BYTES} are the most", binary.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_that_needs_the_system_is_refused() {
        let here = std::env::current_exe().unwrap();
        assert!(must_be_static(&here).unwrap_err().contains("is not static"));
    }

    #[test]
    fn a_binary_that_is_too_large_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let binary = directory.path().join("large");
        let file = std::fs::File::create(&binary).unwrap();
        file.set_len(MOST_BYTES).unwrap();
        assert_eq!(must_be_small(&binary), Ok(()));
        file.set_len(MOST_BYTES + 1).unwrap();
        assert!(must_be_small(&binary).unwrap_err().contains("10000001 bytes"));
    }

    #[test]
    fn the_profile_dev_is_built_into_debug() {
        assert_eq!(directory_of("dev"), "debug");
        assert_eq!(directory_of("release"), "release");
    }
}
