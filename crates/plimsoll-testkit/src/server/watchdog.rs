//! Ends a server when its owner ends, even if the owner was killed.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads from a pipe that only the owner can write to. The kernel closes it with the owner, and then the server is
/// stopped and its directory removed. Ctrl-C in a terminal reaches the owner alone.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r word
[ "$word" = keep ] && exit 0
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
# A number that is left over may belong to somebody else by now, and whoever is dead has no command line.
runs() { [ -n "$pid" ] && grep -aqF -- "$1" "/proc/$pid/cmdline" 2>/dev/null; }
if runs "$1"; then
    children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
    kill -QUIT "$pid"
    # Whoever has been stopped by a test has to go on to be ended.
    kill -CONT "$pid" $children
    tries=0
    while runs "$1" && [ $tries -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    [ $tries -lt 100 ] || kill -KILL "$pid" $children
fi
rm -rf "$1"
"#;

/// A process that watches over one server's directory.
pub(super) struct Watchdog {
    process: Child,
    leash: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts to watch. The server need not run yet.
    pub(super) fn over(directory: &Path) -> Self {
        let mut process = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("/bin/sh exists");
        let leash = process.stdin.take();
        Self { process, leash }
    }

    /// Lets the server live on after its owner.
    pub(super) fn keep(&mut self) {
        if let Some(mut leash) = self.leash.take() {
            // If it is gone already, so is the server: nothing to keep.
            let _ = leash.write_all(b"keep\n");
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.leash = None;
        let _ = self.process.wait();
    }
}
