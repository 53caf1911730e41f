//! Running other programs.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{say, shown};

const TICK: Duration = Duration::from_millis(50);

/// What a chore comes to: nothing to say, or why it could not be done.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Cargo as it was started, in the directory of the workspace.
///
/// The variables that it has set for this program are taken out: build scripts that look at them would run again each
/// time that `cargo xtask test` and `cargo test` take turns.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_package(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.current_dir(root);
    command
}

fn is_of_this_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| variable.starts_with(prefix))
}

/// Runs a command, shows its output as it comes, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let name = shown(command);
    say(&format!("$ {name}"));
    let status = command.status().map_err(|error| format!("`{name}` could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}` failed: {status}")) }
}

/// The same, which is ended with all that it has started if it takes longer than this.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Outcome {
    let name = shown(command);
    say(&format!("$ {name}"));
    let mut child = command.spawn().map_err(|error| format!("`{name}` could not be started: {error}"))?;
    match end_of(&mut child, limit)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("`{name}` failed: {status}")),
        None => Err(format!("`{name}` took longer than {limit:?}, and was ended")),
    }
}

/// How a process ended; `None` if it had to be ended, with all that it has started, because it took longer than this.
pub(crate) fn end_of(child: &mut Child, limit: Duration) -> Outcome<Option<ExitStatus>> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        let status = child.try_wait().map_err(|error| format!("cannot be waited for: {error}"))?;
        if status.is_some() {
            return Ok(status);
        }
        std::thread::sleep(TICK);
    }
    for pid in family(child.id()) {
        send(pid, Signal::KILL);
    }
    child.wait().map_err(|error| format!("cannot be waited for: {error}"))?;
    Ok(None)
}

/// A process and all that have come from it.
fn family(pid: u32) -> Vec<u32> {
    std::iter::once(pid).chain(children(pid).into_iter().flat_map(family)).collect()
}

/// The processes that a process has started, and that still run.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// A process that has ended meanwhile needs no signal.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Runs a command and returns its standard output, which has to be text.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let name = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{name}` could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{name}` failed: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{name}` wrote something that is not UTF-8"))
}

/// The first line of `PROGRAM --version`, if there is such a program.
pub(crate) fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_secs(10));
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_fails_or_does_not_exist_is_an_error_with_its_name() {
        assert_eq!(run(&mut Command::new("true")), Ok(()));
        assert!(run(&mut Command::new("false")).unwrap_err().contains("`false` failed"));
        assert!(output(&mut Command::new("no-such-program")).unwrap_err().contains("no-such-program"));
        assert_eq!(version_of("no-such-program"), None);
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended_with_all_that_it_has_started() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "tail -f /dev/null & tail -f /dev/null; true"]);
        let mut child = command.spawn().unwrap();
        until(|| children(child.id()).len() == 2);
        let grandchildren = children(child.id());
        assert_eq!(end_of(&mut child, Duration::from_millis(1)), Ok(None));
        let runs =
            |pid: &u32| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|text| !text.is_empty());
        until(|| !grandchildren.iter().any(runs));
        let late = run_within(Duration::from_millis(1), Command::new("tail").args(["-f", "/dev/null"]));
        assert!(late.unwrap_err().contains("took longer than 1ms"));
        assert_eq!(run_within(Duration::from_mins(1), &mut Command::new("true")), Ok(()));
        assert!(
            run_within(Duration::from_mins(1), &mut Command::new("false")).unwrap_err().contains("failed")
        );
    }

    #[test]
    fn cargo_is_not_told_about_this_package() {
        let command = cargo(Path::new("."));
        let removed: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert!(removed.iter().any(|name| *name == "CARGO_PKG_NAME"));
        assert!(!is_of_this_package("CARGO_TARGET_DIR"));
    }

    #[test]
    fn the_output_of_a_program_is_its_standard_output() {
        assert_eq!(output(Command::new("printf").arg("a\nb")), Ok("a\nb".to_owned()));
    }
}
