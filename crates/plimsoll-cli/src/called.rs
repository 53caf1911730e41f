//! As what the program was called: kubectl starts its plugins by the name of their file.

use std::ffi::OsStr;
use std::path::Path;

/// The command, whose help and errors show it as the person wrote it.
pub(crate) fn named(command: clap::Command) -> clap::Command {
    match std::env::args_os().next().as_deref().and_then(name) {
        Some(name) => command.bin_name(name),
        None => command,
    }
}

/// What the person wrote, if that is not the name of the file.
fn name(program: &OsStr) -> Option<&'static str> {
    (Path::new(program).file_stem()? == "kubectl-plimsoll").then_some("kubectl plimsoll")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_called_as_kubectl_calls_it() {
        assert_eq!(name(OsStr::new("/usr/bin/kubectl-plimsoll")), Some("kubectl plimsoll"));
        assert_eq!(name(OsStr::new("plimsoll")), None);
    }
}
