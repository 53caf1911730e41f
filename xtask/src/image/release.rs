//! What makes a release of a build: small, the same wherever it is made, and with its symbols in a file beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Arch;
use crate::process::{Outcome, output, run};

/// What separates the flags in the variable, so that a path with a blank in it stays one word.
const SEPARATOR: &str = "\u{1f}";

/// Where each thing lies, as far as the binary knows: the messages of bugs name it, and no machine's own directories.
const SHOWN: [&str; 3] = ["/plimsoll", "/cargo", "/target"];

/// The directories that a compiler sees: sources, Cargo's registry, and where is built. The last one may be in the first.
pub(super) struct Places<'a> {
    pub(super) root: &'a Path,
    pub(super) cargo: &'a Path,
    pub(super) target: &'a Path,
}

impl Places<'_> {
    fn shown(&self) -> impl Iterator<Item = (String, &'static str)> {
        let places = [self.root, self.cargo, self.target].map(|place| place.display().to_string());
        places.into_iter().zip(SHOWN)
    }
}

/// Tells a command how a release is compiled.
pub(super) fn prepare(command: &mut Command, arch: Arch, places: &Places<'_>) {
    command.env("CARGO_ENCODED_RUSTFLAGS", rust_flags(arch, places).join(SEPARATOR));
    command.env(format!("CFLAGS_{}", arch.target().replace('-', "_")), c_flags(places).join(" "));
    if arch == Arch::HERE {
        // Until `apart` takes them out, the symbols have to be there.
        command
            .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only")
            .env("CARGO_PROFILE_RELEASE_STRIP", "none");
    }
}

fn rust_flags(arch: Arch, places: &Places<'_>) -> Vec<String> {
    // A panic ends the process where it is: nothing ever reads the tables that lead up the stack.
    let mut flags = vec!["-Cforce-unwind-tables=no".to_owned()];
    flags.extend(places.shown().map(|(place, shown)| format!("--remap-path-prefix={place}={shown}")));
    if arch == Arch::HERE {
        // Zig's linker, which makes the others, does not know these.
        flags.extend(
            ["-Wl,-z,pack-relative-relocs", "-Wl,--build-id=sha1"].map(|it| format!("-Clink-arg={it}")),
        );
    }
    flags
}

fn c_flags(places: &Places<'_>) -> Vec<String> {
    let mut flags = vec!["-fno-asynchronous-unwind-tables".to_owned(), "-fno-unwind-tables".to_owned()];
    flags.extend(places.shown().map(|(place, shown)| format!("-ffile-prefix-map={place}={shown}")));
    flags
}

/// Where the symbols of a binary are, if they are apart.
pub(super) fn symbols(binary: &Path) -> PathBuf {
    binary.with_extension("debug")
}

/// Takes the symbols out of a binary into a file beside it, which debuggers find by the build-id that stays in both. One for
/// another processor has none any more: the tool that takes them out knows only its own.
pub(super) fn apart(binary: &Path, arch: Arch) -> Outcome {
    if arch != Arch::HERE {
        return Ok(());
    }
    // Cargo's own file may be a link to another one, and the next build has to find it as it was.
    let whole = binary.with_extension("whole");
    let failed = |error| format!("{}: {error}", binary.display());
    std::fs::rename(binary, &whole).map_err(failed)?;
    run(Command::new("objcopy").arg("--only-keep-debug").arg(&whole).arg(symbols(binary)))?;
    run(Command::new("objcopy").arg("--strip-all").arg(&whole).arg(binary))?;
    std::fs::remove_file(&whole).map_err(failed)
}

/// The hash of a file, as people compare it.
pub(super) fn hash(file: &Path) -> Outcome<String> {
    let line = output(Command::new("sha256sum").arg(file))?;
    Ok(line.split_whitespace().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_machine_gets_another_name() {
        let places = Places { root: Path::new("/a b"), cargo: Path::new("/c"), target: Path::new("/t") };
        let flags = rust_flags(Arch::HERE, &places);
        assert!(flags.contains(&"--remap-path-prefix=/a b=/plimsoll".to_owned()), "{flags:?}");
        assert!(c_flags(&places).contains(&"-ffile-prefix-map=/c=/cargo".to_owned()));
    }
}
