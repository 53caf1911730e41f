//! What the arguments ask for.

use std::path::PathBuf;

/// How `cargo xtask bench` is used.
pub(crate) const USAGE: &str = "\
cargo xtask bench [--quick] [--peer NAME]... [--row NAME]... [--write]
  --quick      fewer runs; the longest rows for Plimsoll and the floors alone
  --peer NAME  only this one beside Plimsoll and the floors
  --row NAME   only this row, such as `no-op-100`
  --write      writes bench/results.md and bench/plots too, which README.md of this directory shows";

/// How much time there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Quick,
    Whole,
}

/// Where the results go, beside the terminal and `target/bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    Documents,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) keep: Keep,
    /// Only these rivals; all if there are none.
    pub(crate) peers: Vec<String>,
    /// Only these rows; all if there are none.
    pub(crate) rows: Vec<String>,
    /// Plimsoll's binary.
    pub(crate) plimsoll: PathBuf,
}

impl Options {
    /// Reads the arguments; what cannot be understood is an error with the usage.
    pub(crate) fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            mode: Mode::Whole,
            keep: Keep::Nothing,
            peers: Vec::new(),
            rows: Vec::new(),
            plimsoll: PathBuf::new(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().ok_or(format!("`{argument}` needs a value\n{USAGE}"));
            match argument.as_str() {
                "--quick" => options.mode = Mode::Quick,
                "--write" => options.keep = Keep::Documents,
                "--peer" => options.peers.push(value()?),
                "--row" => options.rows.push(value()?),
                // `cargo xtask bench` gives it.
                "--plimsoll" => options.plimsoll = value()?.into(),
                _ => return Err(format!("unexpected `{argument}`\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

/// Names that nobody has would measure nothing and look like success.
pub(crate) fn must_exist(asked: &[String], known: &[&str]) -> Result<(), String> {
    match asked.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("there is no `{name}`; there are {}", known.join(", "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        Options::read(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn everything_is_measured_unless_something_else_is_asked_for() {
        let options = read(&["--plimsoll", "p"]).unwrap();
        assert_eq!((options.mode, options.keep), (Mode::Whole, Keep::Nothing));
        assert!(options.peers.is_empty() && options.rows.is_empty());
        let options =
            read(&["--peer", "goose", "--quick", "--peer", "tern", "--row", "start", "--write"]).unwrap();
        assert_eq!((options.mode, options.keep), (Mode::Quick, Keep::Documents));
        assert_eq!(options.peers, ["goose", "tern"]);
        assert_eq!(options.rows, ["start"]);
    }

    #[test]
    fn what_is_not_understood_or_not_there_is_refused() {
        assert!(read(&["--peer"]).unwrap_err().contains("needs a value"));
        assert!(read(&["--qick"]).unwrap_err().contains("`--qick`"));
        assert_eq!(must_exist(&["a".into()], &["a", "b"]), Ok(()));
        assert!(must_exist(&["c".into()], &["a", "b"]).unwrap_err().contains("a, b"));
    }
}
