//! How many files this process may open: too few, and what fails for want of them would be taken for something else.

use plimsoll_core::{Code, Diagnostic};
use rustix::process::{Resource, getrlimit};

/// How many files and connections this process has to be able to open: a run on SQLite has been seen to need 13, and its
/// largest scripts open a few more.
const FILES: u64 = 32;

/// Fails if the process may open too few files. The limit is not raised: the command of `exec` would inherit that.
pub(crate) fn check() -> Result<(), Diagnostic> {
    refuse_below(getrlimit(Resource::Nofile).current)
}

fn refuse_below(limit: Option<u64>) -> Result<(), Diagnostic> {
    match limit.filter(|&most| most < FILES) {
        None => Ok(()),
        Some(most) => Err(Diagnostic::new(
            Code::ProcessLimit,
            format!("this process may have {most} files open at a time, and needs {FILES}"),
        )
        .help("raise the limit where the container or the service is defined (`ulimit -n`, `nofile`, `LimitNOFILE`)")
        .help("nothing was done")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_limit_below_what_a_run_needs_is_refused() {
        assert!(refuse_below(None).is_ok() && refuse_below(Some(FILES)).is_ok());
        let refused = refuse_below(Some(8)).unwrap_err();
        assert!(refused.to_string().contains("may have 8 files open"), "{refused}");
    }
}
