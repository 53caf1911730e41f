//! How the process ends when Plimsoll itself is wrong.

use plimsoll_core::{Code, Diagnostic, secret};

use crate::output::{Phase, Sinks};
use crate::{exit, last_word};

/// What a person who sees a bug wants to know first.
const SAFE: &str = "what was committed stays, what was not is rolled back; the next start looks what became of what was under way, \
                    and carries on or says what to do";

/// Whatever panics, on whichever thread, ends the process with exit code 70, and says so where somebody will look: in plain
/// words, since what draws the others may be what went wrong.
///
/// The hook runs before anything is unwound or aborted, so that it is the same under each profile.
pub(crate) fn explain(sinks: &Sinks) {
    let sinks = sinks.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let what = secret::mask(&panic.to_string());
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "plimsoll {version}: a bug ({what})\n{SAFE}\nplease report these lines, and which command it was"
        );
        sinks.log.error_text("bug", &text);
        let diagnostic =
            Diagnostic::new(Code::Bug, format!("a bug in plimsoll {version}: {what}")).help(SAFE);
        exit::leave(last_word(&diagnostic, Phase::Unknown, &sinks));
    }));
}

/// The variable that makes a bug, for the test of what a bug looks like. No release knows it.
#[cfg(debug_assertions)]
const PROVOKED: &str = "PLIMSOLL_TEST_BUG";

/// Has a bug where the variable says: on the main thread (`here`), in a task (`task`) or on a thread of the runtime's (`thread`).
#[cfg(debug_assertions)]
pub(crate) async fn provoke() {
    #[expect(clippy::panic, reason = "it is what is asked for")]
    fn bug() {
        panic!("a bug on purpose, at postgresql://app:hush-7c1e@db/app");
    }
    let ended = match std::env::var(PROVOKED).as_deref() {
        Ok("here") => return bug(),
        Ok("task") => tokio::spawn(async { bug() }).await,
        Ok("thread") => tokio::task::spawn_blocking(bug).await,
        _ => return,
    };
    drop(ended);
}
