//! The container image: the static binary, the files around it, and the archives that any registry or node takes.

mod binary;
mod container;
mod facts;
mod files;
mod release;
mod reproduce;
mod sbom;

use std::path::{Path, PathBuf};

use crate::process::{Outcome, cargo, run};
use crate::say;
use crate::setup::apt;

pub(crate) use binary::target_directory;

/// How the image is asked for on the command line.
pub(crate) const USAGE: &str = "\
cargo xtask image [--arch amd64|arm64] [--profile NAME] [--check | --reproduce]
                          builds the image and the one with a shell into target/image; --check runs what is in them;
                          --reproduce builds the release's binary twice instead, in two places, and compares";

/// The binary may be as large as this.
const MOST_BYTES: u64 = 10_000_000;

/// The processors that images are made for, under the names that registries have for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arch {
    Amd64,
    Arm64,
}

impl Arch {
    /// The one that this program runs on.
    const HERE: Self = if cfg!(target_arch = "aarch64") { Self::Arm64 } else { Self::Amd64 };

    fn parse(name: &str) -> Outcome<Self> {
        match name {
            "amd64" => Ok(Self::Amd64),
            "arm64" => Ok(Self::Arm64),
            _ => Err(format!("there is no image for `{name}`: `amd64` and `arm64` are possible")),
        }
    }

    /// The name in a registry.
    fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The name that Rust has for it, with a C library that can be linked into the binary.
    fn target(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-musl",
            Self::Arm64 => "aarch64-unknown-linux-musl",
        }
    }
}

/// What happens to an image once it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Leave,
    Check,
    Reproduce,
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    arch: Arch,
    profile: String,
    then: Then,
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self { arch: Arch::HERE, profile: "release".into(), then: Then::Leave };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut value = || rest.next().ok_or(format!("`{flag}` needs a value\n{USAGE}"));
            match flag.as_str() {
                "--arch" => options.arch = Arch::parse(value()?)?,
                "--profile" => value()?.clone_into(&mut options.profile),
                "--check" => options.then = Then::Check,
                "--reproduce" => options.then = Then::Reproduce,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// Builds both images for one processor, and runs them if that is asked for.
pub(crate) fn image(root: &Path, arguments: &[String]) -> Outcome {
    let options = Options::parse(arguments)?;
    if options.then == Then::Reproduce {
        return reproduce::reproduce(root, &options);
    }
    apt::need("buildah", &["buildah"])?;
    let home = root.join("target/image").join(options.arch.name());
    let binary = binary::build(root, &options)?;
    let facts = facts::Facts::collect(root)?;
    files::lay_out(root, options.arch, &binary, facts.epoch)?;
    if options.profile == "release" && options.arch == Arch::HERE {
        copy(&release::symbols(&binary), &home.join("plimsoll.debug"))?;
    }
    for variant in container::VARIANTS {
        let archive = container::build(root, options.arch, &facts, variant)?;
        say(&format!("image: {}", archive.display()));
    }
    match options.then {
        Then::Leave | Then::Reproduce => Ok(()),
        Then::Check => check(root, options.arch, &home),
    }
}

/// The binary of a release for this processor, as it is in the image; what is built already is not built again.
pub(crate) fn release_binary(root: &Path) -> Outcome<PathBuf> {
    binary::build(root, &Options::parse(&[])?)
}

/// Runs the tests of the image's content. They are kept out of `cargo test`, which has no image to give them.
fn check(root: &Path, arch: Arch, home: &Path) -> Outcome {
    crate::setup::setup(root)?;
    apt::need("dnsmasq", &["dnsmasq-base"])?;
    if arch != Arch::HERE {
        apt::need(&format!("qemu-{}-static", std_name(arch)), &["qemu-user-static"])?;
    }
    let mut cargo = cargo(root);
    cargo.args(["test", "--locked", "--package", "plimsoll-cli", "--test", "image"]);
    run(cargo.env("PLIMSOLL_IMAGES", home))
}

/// The name that an emulator has for a processor.
fn std_name(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "x86_64",
        Arch::Arm64 => "aarch64",
    }
}

/// Writes a file, with the directories above it.
fn write(path: &Path, content: impl AsRef<[u8]>) -> Outcome {
    let failed = |error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    std::fs::write(path, content).map_err(failed)
}

/// Copies a file with its permissions, with the directories above it.
fn copy(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to.parent().unwrap_or(to))
        .map_err(|error| format!("{}: {error}", to.display()))?;
    std::fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}

/// Where the tools are that are installed for this chore alone.
fn tools(root: &Path) -> PathBuf {
    root.join("target/image/tools")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Outcome<Options> {
        Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_said_is_the_release_for_this_processor() {
        let expected = Options { arch: Arch::HERE, profile: "release".into(), then: Then::Leave };
        assert_eq!(parse(&[]), Ok(expected));
    }

    #[test]
    fn flags_are_read_and_others_refused() {
        let expected = Options { arch: Arch::Arm64, profile: "dev".into(), then: Then::Check };
        assert_eq!(parse(&["--arch", "arm64", "--check", "--profile", "dev"]), Ok(expected));
        assert!(parse(&["--arch", "s390x"]).unwrap_err().contains("`s390x`"));
        assert!(parse(&["--arch"]).unwrap_err().contains("needs a value"));
        assert_eq!(parse(&["--fast"]), Err(USAGE.into()));
    }
}
