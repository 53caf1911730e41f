//! Times programs, in a small process of its own: see `bin/stopwatch.rs`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The process that starts and times others, seen from the one that asks it to.
pub(crate) struct Stopwatch {
    /// An empty home, so that nobody finds settings or caches of the person who measures.
    home: PathBuf,
    log: PathBuf,
}

/// One program that was started several times at once.
#[derive(Debug)]
pub(crate) struct Timing {
    /// From the first start until the last one has ended.
    pub(crate) seconds: f64,
    pub(crate) runs: Vec<Run>,
    /// What all of them have said.
    pub(crate) said: String,
}

/// One program.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i64>,
    /// In user and system, with its children.
    pub(crate) cpu: f64,
    /// The most memory that it had at a time: of its children, that of the largest one.
    pub(crate) kibibytes: f64,
}

impl Stopwatch {
    /// One that writes into a directory.
    pub(crate) fn in_directory(directory: &Path) -> io::Result<Self> {
        let home = directory.join("home");
        std::fs::create_dir_all(&home)?;
        Ok(Self { home, log: directory.join("said") })
    }

    /// Runs a command so many times at once, in the directory that it names or in this one.
    pub(crate) fn time(&self, command: &Command, directory: &Path, runners: u32) -> Result<Timing, String> {
        let output = self.around(command, directory, runners).and_then(|mut watch| watch.output());
        let output = output.map_err(|error| format!("the stopwatch: {error}"))?;
        let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
            let why = String::from_utf8_lossy(&output.stderr);
            format!("`{}`: {}", command.get_program().display(), why.trim())
        })?;
        let said = std::fs::read(&self.log).unwrap_or_default();
        Ok(Timing::read(&answer, String::from_utf8_lossy(&said).into_owned()))
    }

    fn around(&self, command: &Command, directory: &Path, runners: u32) -> io::Result<Command> {
        let mut watch = Command::new(beside_us("plimsoll-bench-stopwatch")?);
        watch.arg(runners.to_string()).arg(&self.log).arg(command.get_program());
        watch.args(command.get_args()).stdin(Stdio::null());
        watch.current_dir(command.get_current_dir().unwrap_or(directory));
        watch.env_clear().env("HOME", &self.home).env("TMPDIR", &self.home);
        watch.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => watch.env(name, value),
                None => watch.env_remove(name),
            };
        }
        Ok(watch)
    }
}

impl Timing {
    fn read(answer: &Value, said: String) -> Self {
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let run = |it: &Value| Run {
            code: it["code"].as_i64(),
            cpu: number(&it["cpu"]),
            kibibytes: number(&it["kibibytes"]),
        };
        let runs = answer["runs"].as_array().into_iter().flatten().map(run).collect();
        Self { seconds: number(&answer["seconds"]), runs, said }
    }
}

/// Another program of this package, which Cargo puts where this one is.
pub(crate) fn beside_us(name: &str) -> io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
