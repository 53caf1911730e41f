//! Programs from the distribution.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Outcome, run, version_of};

/// Installs packages if that is possible here; otherwise says what a person has to install.
pub(crate) fn install(program: &str, packages: &[&str]) -> Outcome {
    if !is_root() || version_of("apt-get").is_none() {
        return Err(missing(program, packages));
    }
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

/// Installs packages unless there is such a program, wherever `PATH` leads.
pub(crate) fn need(program: &str, packages: &[&str]) -> Outcome {
    if is_there(program) { Ok(()) } else { install(program, packages) }
}

/// Installs libclang, with which bindgen reads C, unless all of it is there: the library, and the headers that come with the
/// compiler (`stddef.h`). Debian has them in packages of their own, and the library alone makes bindgen fail.
pub(crate) fn need_libclang() -> Outcome {
    let roots = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
    if roots.iter().any(|root| has_libclang(root)) && roots.iter().any(|root| has_headers(root)) {
        Ok(())
    } else {
        install("libclang with its headers", &["libclang-dev"])
    }
}

/// The library lies in one of these directories, in one of a processor's below, or where LLVM keeps its own.
fn has_libclang(root: &Path) -> bool {
    let below = entries(root).into_iter().flat_map(|entry| [entry.clone(), entry.join("lib")]);
    let mut files = std::iter::once(root.to_owned()).chain(below).flat_map(|directory| entries(&directory));
    files.any(|file| file.file_name().and_then(|name| name.to_str()).is_some_and(is_libclang))
}

/// The compiler's headers lie in `clang/VERSION/include`, here or where LLVM keeps its own.
fn has_headers(root: &Path) -> bool {
    let llvm = entries(root).into_iter().map(|entry| entry.join("lib/clang"));
    let mut versions =
        std::iter::once(root.join("clang")).chain(llvm).flat_map(|directory| entries(&directory));
    versions.any(|version| version.join("include/stddef.h").is_file())
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// `libclang.so.1` and `libclang-14.so` are libclang; `libclang-cpp.so` is another library.
fn is_libclang(file: &str) -> bool {
    let Some((name, _)) = file.split_once(".so") else { return false };
    name.strip_prefix("libclang")
        .is_some_and(|version| version.chars().all(|c| c == '-' || c == '.' || c.is_ascii_digit()))
}

/// Not every program knows `--version`.
fn is_there(program: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", "command -v \"$1\"", "sh", program]).stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The files of a package, for whichever processor, below `home`. Nothing is installed, and apt's own lists stay as they are.
pub(crate) fn unpacked(package: &str, arch: &str, home: &Path) -> Outcome<PathBuf> {
    let (state, to) = (home.join("apt"), home.join(package));
    if to.is_dir() {
        return Ok(to);
    }
    std::fs::create_dir_all(state.join("lists/partial"))
        .map_err(|error| format!("{}: {error}", state.display()))?;
    let foreign = || {
        let mut command = apt_get();
        command.current_dir(&state).arg("--option").arg(format!("APT::Architecture={arch}"));
        command.arg("--option").arg(format!("APT::Architectures={arch}"));
        command.arg("--option").arg(format!("Dir::State::lists={}", state.join("lists").display()));
        command.arg("--option").arg(format!("Dir::Cache={}", state.display()));
        command
    };
    run(foreign().arg("update"))?;
    run(foreign().args(["download", package]))?;
    let files = std::fs::read_dir(&state).map_err(|error| format!("{}: {error}", state.display()))?;
    let mut files = files.flatten().map(|entry| entry.path());
    let file = files.find(|path| path.extension().is_some_and(|it| it == "deb"));
    let file = file.ok_or_else(|| format!("apt-get has brought no `{package}` for {arch}"))?;
    run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(&to))?;
    Ok(to)
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn missing(program: &str, packages: &[&str]) -> String {
    format!(
        "`{program}` is missing, and only root with apt-get can install it from here.\nOn Debian: apt-get install {}",
        packages.join(" ")
    )
}

/// A process belongs to the owner of its own directory in `/proc`.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_there_needs_no_package() {
        assert_eq!(need("sh", &["no-such-package"]), Ok(()));
        assert!(!is_there("no-such-program"));
    }

    #[test]
    fn a_library_is_found_by_its_whole_name() {
        assert!(is_libclang("libclang.so.1") && is_libclang("libclang-14.so"));
        assert!(!is_libclang("libclang-cpp.so.14") && !is_libclang("libclang.a"));
    }

    #[test]
    fn the_library_of_debian_without_the_headers_is_not_all_that_bindgen_needs() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        assert!(!has_libclang(root.path()));
        put("x86_64-linux-gnu/libclang-14.so.1");
        assert!(has_libclang(root.path()) && !has_headers(root.path()));
        put("llvm-14/lib/clang/14.0.6/include/stddef.h");
        assert!(has_headers(root.path()));
    }

    #[test]
    fn what_is_missing_is_said_with_the_package_to_install() {
        let text = missing("pg_dump", &["postgresql-client"]);
        assert!(text.contains("`pg_dump` is missing"));
        assert!(text.contains("apt-get install postgresql-client"));
    }
}
