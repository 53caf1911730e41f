//! How many instructions a run without work takes, which is the same on a busy machine as on a quiet one.
//!
//! Whole processes are counted and not functions, since that is what a pod pays for: relocation, arguments, the reading of the
//! project. valgrind shows every program the same processor, a Haswell of Intel's, on whatever has AVX2 (VEX's
//! `amd64g_dirtyhelper_CPUID_avx2` takes F16C, RDRAND and RDSEED from the machine, and nothing else), and the binary is static: so
//! code that is chosen at run time, as SHA-256 and the searching of bytes are, is the same on each of them. Measured over ten runs,
//! no count differed by more than 0.7 %: what differs are the seeds of hash tables and the times in a history.

mod baseline;
mod compare;

use std::path::Path;
use std::process::Command;

use crate::process::{Outcome, cargo, output, version_of};
use crate::setup::apt;
use crate::{image, say};
use baseline::{Baseline, Counts};

/// How the counts are asked for on the command line.
pub(crate) const USAGE: &str = "\
cargo xtask counts [--write]
                          counts the instructions of runs without work, and compares them with bench/counts.toml;
                          --write makes them the baseline";

/// Where the baseline is kept, from the root of the workspace.
const PATH: &str = "bench/counts.toml";

/// Counts, and fails if the baseline says something else.
pub(crate) fn counts(root: &Path, arguments: &[String]) -> Outcome {
    let writes = match arguments {
        [] => false,
        [flag] if flag == "--write" => true,
        _ => return Err(USAGE.into()),
    };
    comparable()?;
    apt::need("valgrind", &["valgrind"])?;
    let now = Baseline { made_with: tools()?, counts: measured(root)? };
    let path = root.join(PATH);
    let failed = |error| format!("{PATH}: {error}");
    if writes {
        say(&format!("wrote {PATH}"));
        return std::fs::write(&path, now.text()).map_err(failed);
    }
    let then = Baseline::parse(&std::fs::read_to_string(&path).map_err(failed)?)?;
    judge(&then, &now)
}

/// Shows the table, and says what to do if something in it is not as it was.
fn judge(then: &Baseline, now: &Baseline) -> Outcome {
    let rows = compare::rows(&then.counts, &now.counts);
    say(&compare::table(&rows));
    if rows.iter().all(compare::Row::is_as_it_was) {
        return Ok(());
    }
    let mut why =
        "the counts are not those of the baseline. More has to be worth it, and less would hide what grows \
                   later: if it is meant to be so, `cargo xtask counts --write` and commit"
            .to_owned();
    if then.made_with != now.made_with {
        let made_with = then.made_with.join(", ");
        why.push_str(". It was made with other tools, which may be all: ");
        why.push_str(&made_with);
    }
    Err(why)
}

/// valgrind shows another processor where there is no AVX2: other code runs there, and no tolerance makes up for that.
fn comparable() -> Outcome {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return Ok(());
    }
    Err("the counts are those of x86-64 with AVX2: valgrind shows programs another processor on this machine"
        .into())
}

/// What a count depends on besides the code.
fn tools() -> Outcome<[String; 2]> {
    let of = |program: &str| version_of(program).ok_or_else(|| format!("`{program}` does not run"));
    Ok([of("rustc")?, of("valgrind")?])
}

/// The counts of this working copy.
fn measured(root: &Path) -> Outcome<Counts> {
    let binary = image::release_binary(root)?;
    let mut cargo: Command = cargo(root);
    cargo.args(["test", "--locked", "--quiet", "--package", "plimsoll-cli", "--test", "counts"]);
    output(cargo.env("PLIMSOLL_COUNTED", binary))?.lines().map(measurement).collect()
}

/// A line of the program that counts: a name, a tab and a number.
fn measurement(line: &str) -> Outcome<(String, u64)> {
    let parts = line.split_once('\t').and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)));
    parts.ok_or_else(|| format!("`{line}` is not a name and a count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(rust: &str, count: u64) -> Baseline {
        Baseline { made_with: [rust.into(), "v".into()], counts: vec![("version".into(), count)] }
    }

    #[test]
    fn what_grows_and_what_shrinks_says_how_the_baseline_is_renewed() {
        let then = baseline("rustc 1", 1000);
        assert_eq!(judge(&then, &baseline("rustc 1", 1050)), Ok(()));
        for count in [1051, 949] {
            let why = judge(&then, &baseline("rustc 1", count)).unwrap_err();
            assert!(why.contains("`cargo xtask counts --write`") && !why.contains("rustc 1"), "{why}");
        }
    }

    #[test]
    fn other_tools_are_named_when_something_differs() {
        let why = judge(&baseline("rustc 1", 1000), &baseline("rustc 2", 2000)).unwrap_err();
        assert!(why.contains("rustc 1"), "{why}");
    }

    #[test]
    fn a_measurement_is_a_name_and_a_number() {
        assert_eq!(measurement("deploy\t12"), Ok(("deploy".to_owned(), 12)));
        assert!(measurement("thread 'main' panicked").is_err());
    }
}
