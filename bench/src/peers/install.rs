//! Package clients: each peer comes from where its users get it, in one version.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::peer::Tools;

/// Written last, with what was installed in it.
const STAMP: &str = ".installed";

/// What Maven copies archives with. Without a version it takes another one on every machine.
const MAVEN_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";
const MAVEN_HELP: &str = "install Maven and Java 17 or newer";
const NPM_HELP: &str = "install Node 20 or newer with npm";
const NPM_OPTIONS: [&str; 4] = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

type Outcome = Result<(), String>;

/// A place for one peer, where `recipe` says what is to be in it. Whatever is there by another recipe is thrown away.
pub(super) fn once(place: &Path, recipe: &str, make: impl FnOnce(&Path) -> Outcome) -> Outcome {
    let stamp = place.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == recipe) {
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(place);
    std::fs::create_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    make(place)?;
    std::fs::write(&stamp, recipe).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// A module of Go, as `go install` builds it.
pub(super) struct Module {
    pub(super) place: &'static str,
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    pub(super) tags: &'static str,
    /// The variable that holds the version, which releases set.
    pub(super) stamp: &'static str,
    /// The name of its program.
    pub(super) program: &'static str,
}

impl Module {
    /// Without C, so that the program is static, and without tables for a debugger: as releases are built.
    pub(super) fn install(&self, tools: &Tools) -> Outcome {
        let module = format!("{}@v{}", self.package, self.version);
        let flags = self.link_flags();
        once(&place(tools, self.place), &format!("go install -tags '{}' {module}", self.tags), |place| {
            let mut go = client("go");
            go.env("CGO_ENABLED", "0").env("GOBIN", place).env("GOFLAGS", "-trimpath -buildvcs=false");
            // In no module: what the working copy says about modules is not about this one.
            go.current_dir("/").args(["install", "-tags", self.tags, "-ldflags", &flags, &module]);
            run(&mut go, "install Go 1.26 or newer")
        })
    }

    pub(super) fn program(&self, tools: &Tools) -> PathBuf {
        place(tools, self.place).join(self.program)
    }

    fn link_flags(&self) -> String {
        match self.stamp {
            "" => "-s -w".to_owned(),
            variable => format!("-s -w -X {variable}={}", self.version),
        }
    }
}

/// A program on crates.io, as `cargo install` builds it.
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) features: &'static str,
    /// The name of its program.
    pub(super) program: &'static str,
}

impl Crate {
    /// With the versions of dependencies that its authors tested.
    pub(super) fn install(&self, tools: &Tools) -> Outcome {
        let Self { name, version, features, .. } = self;
        let recipe = format!("cargo install --locked --no-default-features -F {features} {name}@{version}");
        once(&place(tools, name), &recipe, |place| {
            let mut cargo = client(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["install", "--locked", "--quiet", "--version", version, "--root"]).arg(place);
            cargo.args(["--no-default-features", "--features", features, name]).current_dir("/");
            run(&mut cargo, "install Rust")
        })
    }

    pub(super) fn program(&self, tools: &Tools) -> PathBuf {
        place(tools, self.name).join("bin").join(self.program)
    }
}

/// Packages of npm. Their scripts are not run: none of these needs one.
pub(super) fn npm(tools: &Tools, name: &str, packages: &[&str]) -> Outcome {
    once(&place(tools, name), &format!("npm install {}", packages.join(" ")), |place| {
        let mut npm = client("npm");
        npm.arg("install").args(NPM_OPTIONS).arg("--prefix").arg(place).args(packages).current_dir(place);
        run(&mut npm, NPM_HELP)
    })
}

/// Packages of npm as a lock file has them, beside the files that a peer wants there.
pub(super) fn lock_file(tools: &Tools, name: &str, files: &[(&str, &str)]) -> Outcome {
    let recipe = files.iter().flat_map(|(name, text)| [*name, ":\n", *text, "\n"]).collect::<String>();
    once(&place(tools, name), &recipe, |place| {
        write_all(place, files)?;
        run(client("npm").arg("ci").args(NPM_OPTIONS).current_dir(place), NPM_HELP)
    })
}

/// What Maven has to bring for a peer, as a `pom.xml`: the archives end up in `lib`.
pub(super) fn maven(tools: &Tools, name: &str, pom: &str) -> Outcome {
    once(&place(tools, name), pom, |place| {
        write_all(place, &[("pom.xml", pom)])?;
        let options = ["-DincludeScope=runtime", "-DoutputDirectory=lib"];
        run(maven_goal("copy-dependencies", place).args(options), MAVEN_HELP)
    })
}

/// A distribution that Maven has as an archive with one directory in it, whose content becomes the place.
pub(super) fn maven_archive(tools: &Tools, name: &str, artifact: &str) -> Outcome {
    once(&place(tools, name), artifact, |place| {
        for (goal, option) in [("get", "-Dtransitive=false"), ("copy", "-DoutputDirectory=.")] {
            let mut maven = maven_goal(goal, place);
            run(maven.arg(format!("-Dartifact={artifact}")).arg(option), MAVEN_HELP)?;
        }
        let archive = archive_name(artifact);
        let mut tar = client("tar");
        tar.args(["--no-same-owner", "--strip-components=1", "-xzf", &archive]).current_dir(place);
        run(&mut tar, "the archive is not what it was")?;
        std::fs::remove_file(place.join(&archive)).map_err(|error| format!("{archive}: {error}"))
    })
}

fn maven_goal(goal: &str, place: &Path) -> Command {
    let mut maven = client("mvn");
    maven.args(["--batch-mode", "--quiet", &format!("{MAVEN_PLUGIN}:{goal}")]).current_dir(place);
    maven
}

/// `group:name:1.0:tar.gz` is copied as `name-1.0.tar.gz`.
fn archive_name(artifact: &str) -> String {
    let (_, name) = artifact.split_once(':').unwrap_or_default();
    name.replacen(':', "-", 1).replace(':', ".")
}

fn write_all(place: &Path, files: &[(&str, &str)]) -> Outcome {
    files.iter().try_for_each(|(name, text)| {
        let path = place.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    })
}

/// Packages of Python, in an environment of their own.
pub(super) fn python(tools: &Tools, name: &str, packages: &[&str]) -> Outcome {
    once(&place(tools, name), &format!("pip install {}", packages.join(" ")), |place| {
        run(client("python3").args(["-m", "venv"]).arg(place), "install Python 3 with venv")?;
        // It compiles what it installs, so that nobody's first start has to.
        let mut pip = client(place.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--compile"]).args(packages), "look at what pip says")
    })
}

/// The directory of a peer below the tools, as an absolute path.
pub(super) fn place(tools: &Tools, name: &str) -> PathBuf {
    let place = tools.directory.join(name);
    std::path::absolute(&place).unwrap_or(place)
}

fn client(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// Runs a package client. If it fails, the end of what it said is in the error.
pub(super) fn run(command: &mut Command, help: &str) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("`{name}` does not start ({error}): {help}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let end = lines[lines.len().saturating_sub(12)..].join("\n");
    Err(format!("`{name}` failed: {}: {help}\n{end}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed_again_and_another_version_is() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("peer");
        once(&place, "one 1.0", |place| {
            std::fs::write(place.join("program"), "").map_err(|it| it.to_string())
        })
        .unwrap();
        once(&place, "one 1.0", |_| Err("is installed twice".to_owned())).unwrap();
        assert!(place.join("program").is_file());
        assert_eq!(once(&place, "one 2.0", |_| Err("no network".to_owned())), Err("no network".to_owned()));
        assert!(!place.join("program").exists(), "the old version is gone");
        assert_eq!(once(&place, "one 2.0", |_| Err("still none".to_owned())), Err("still none".to_owned()));
    }

    #[test]
    fn maven_calls_an_archive_by_name_and_version() {
        assert_eq!(
            archive_name("org.flywaydb:flyway-commandline:11.8.2:tar.gz"),
            "flyway-commandline-11.8.2.tar.gz"
        );
    }

    #[test]
    fn a_client_that_fails_or_is_missing_says_so() {
        let error = run(Command::new("sh").args(["-c", "echo whole story; exit 3"]), "ask").unwrap_err();
        assert!(error.contains("whole story") && error.contains('3'), "{error}");
        let error = run(&mut Command::new("no-such-client"), "install it").unwrap_err();
        assert!(error.contains("no-such-client") && error.contains("install it"), "{error}");
    }
}
