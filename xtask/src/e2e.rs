//! The tests on a real Kubernetes: brings everything that they need, runs them, and takes all of it away again.

mod binaries;
mod clients;
mod cluster;
mod leash;
mod programs;
mod tools;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Outcome, cargo, output, run_within};
use crate::{say, setup};
use leash::Leash;

/// How these tests are asked for on the command line.
pub(crate) const USAGE: &str = "\
cargo xtask e2e [--only NAME]... [--keep] [--profile NAME]
                          starts a Kubernetes and runs the tests of e2e/ on it, with the image of this profile; needs root";

/// The word by which this program starts itself again, as the one that owns the cluster's processes.
const SUPERVISE: &str = "--supervise";

/// How long all tests may take. Whatever a test waits for has a limit of its own, after which it tells its story: this one is
/// for what nobody has thought of.
const TESTS_LIMIT: Duration = Duration::from_mins(15);

/// Whether the cluster stays after the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Down,
    KeptUntilEnter,
}

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// Only tests whose names contain one of these; all if there are none.
    only: Vec<String>,
    after: After,
    /// Cargo's profile for the binary in the image. What is shipped is what should be tried.
    profile: String,
}

impl Options {
    fn read(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self { only: Vec::new(), after: After::Down, profile: "release".into() };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or(format!("`{argument}` needs a value\n{USAGE}"));
            match argument.as_str() {
                "--keep" => options.after = After::KeptUntilEnter,
                "--only" => options.only.push(value()?.clone()),
                "--profile" => value()?.clone_into(&mut options.profile),
                _ => {
                    return Err(format!(
                        "unexpected `{argument}`
{USAGE}"
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Where things are.
struct Places {
    root: PathBuf,
}

impl Places {
    /// What is made for these tests, and nothing else.
    fn target(&self) -> PathBuf {
        self.root.join("target/e2e")
    }

    /// Everything that the running cluster writes.
    fn cluster(&self) -> PathBuf {
        self.target().join("cluster")
    }
}

/// `cargo xtask e2e ARGUMENTS`.
pub(crate) fn e2e(root: &Path, arguments: &[String]) -> Outcome {
    let places = Places { root: root.to_owned() };
    if arguments == [SUPERVISE] {
        return cluster::supervise(&places);
    }
    let options = Options::read(arguments)?;
    let _only_one = only_one(&places)?;
    tools::install()?;
    setup::setup(root)?;
    binaries::build(&places)?;
    clients::build(&places)?;
    programs::build(&places, &options.profile)?;
    must_exist(&places, &options)?;
    let cluster = Leash::start(SUPERVISE, cluster::READY)?;
    let outcome = test(&places, &options);
    if options.after == After::KeptUntilEnter {
        keep(&places);
    }
    cluster.let_go().and(outcome)
}

/// Two runs of one working copy would use the same directory. Other working copies have their own.
fn only_one(places: &Places) -> Outcome<File> {
    let path = places.target().join(".lock");
    std::fs::create_dir_all(places.target()).map_err(|error| format!("{}: {error}", path.display()))?;
    let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.try_lock().map_err(|_| "another `cargo xtask e2e` of this working copy is running")?;
    Ok(file)
}

/// A name that fits no test would be a run that passes because it has done nothing.
fn must_exist(places: &Places, options: &Options) -> Outcome {
    let mut list = cargo(&places.root);
    list.args(["test", "--quiet", "--locked", "--package", "plimsoll-e2e", "--tests", "--", "--list"]);
    let tests = output(&mut list)?;
    match options.only.iter().find(|name| !tests.lines().any(|line| line.contains(name.as_str()))) {
        Some(name) => Err(format!("no test has `{name}` in its name; there are\n{tests}")),
        None => Ok(()),
    }
}

/// Six at once: scenarios spend their time waiting for the node, not computing.
fn test(places: &Places, options: &Options) -> Outcome {
    let mut tests = cargo(&places.root);
    tests.args(["test", "--locked", "--package", "plimsoll-e2e", "--no-fail-fast", "--"]).args(&options.only);
    tests.args(["--test-threads", "6"]);
    run_within(TESTS_LIMIT, &mut tests)
}

fn keep(places: &Places) {
    let (binaries, config) = (binaries::place(places), places.cluster().join("admin.conf"));
    say("The cluster stays until you press Enter. To look into it:");
    say(&format!("  {}/kubelab kubectl --kubeconfig {} get pods -A", binaries.display(), config.display()));
    // The end of input, or none at all, is as good as Enter.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Outcome<Options> {
        Options::read(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn tests_are_chosen_by_name_and_the_cluster_is_kept_when_asked() {
        let all = Options { only: Vec::new(), after: After::Down, profile: "release".into() };
        assert_eq!(read(&[]), Ok(all));
        let only = vec!["a".into(), "b".into()];
        let some = Options { only, after: After::KeptUntilEnter, profile: "dev".into() };
        assert_eq!(read(&["--only", "a", "--keep", "--only", "b", "--profile", "dev"]), Ok(some));
    }

    #[test]
    fn what_is_not_understood_is_refused_before_anything_is_done() {
        assert!(read(&["--only"]).unwrap_err().contains("needs a value"));
        assert!(read(&["--keeep"]).unwrap_err().contains("`--keeep`"));
    }

    #[test]
    fn a_second_run_of_the_same_working_copy_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places { root: directory.path().to_owned() };
        let first = only_one(&places).unwrap();
        assert!(only_one(&places).unwrap_err().contains("is running"));
        drop(first);
        assert!(only_one(&places).is_ok());
    }
}
