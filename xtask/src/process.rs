//! Running other programs.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{say, shown};

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

    #[test]
    fn a_program_that_fails_or_does_not_exist_is_an_error_with_its_name() {
        assert_eq!(run(&mut Command::new("true")), Ok(()));
        assert!(run(&mut Command::new("false")).unwrap_err().contains("`false` failed"));
        assert!(output(&mut Command::new("no-such-program")).unwrap_err().contains("no-such-program"));
        assert_eq!(version_of("no-such-program"), None);
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
