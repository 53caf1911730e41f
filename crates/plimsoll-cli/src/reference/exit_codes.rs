//! `docs/exit-codes.md`: the numbers, and what Kubernetes should do with each.

use std::fmt::Write as _;

use plimsoll_core::Class;

use crate::exit::Exit;

/// The whole document.
pub(super) fn document() -> String {
    let (useless, useful) = (list(Retry::Useless), list(Retry::Useful));
    format!("{HEAD}{}{}{}{}", table(), container(&useful), job(&useless), TAIL)
}

const HEAD: &str = "\
# Exit codes

Made from the code by `cargo xtask docs`: change `exit.rs` and `reference/exit_codes.rs` in
`crates/plimsoll-cli/src`.

An exit code says whether another start can end otherwise. `restartPolicyRules` and `podFailurePolicy` of Kubernetes
may rely on these numbers: they do not change. Which error it was stands in the [termination message](termination.md),
and what each means in [errors.md](errors.md). Behind `plimsoll exec -- CMD` the exit code is the command's own once it has started.

";

const TAIL: &str = "
What is neither `FailJob` nor `Ignore` counts towards `backoffLimit`, and Kubernetes starts another pod after a pause. A Pod that is
being evicted or drained has the condition `DisruptionTarget`: that is nobody's fault, and not counted.
";

fn table() -> String {
    let mut text = "| code | when | start again? | container: `restartPolicyRules` | Job: `podFailurePolicy` | errors |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for exit in ALL {
        let (again, container, job) = match retry(exit) {
            Retry::Needless => ("", "", ""),
            Retry::Useless => ("no: a person has to do something", "none: it stays as it is", "`FailJob`"),
            Retry::Useful => ("yes", "`Restart`", "none: it counts and is tried again"),
        };
        let _infallible = writeln!(
            text,
            "| {} | {} | {again} | {container} | {job} | {} |",
            exit.code(),
            meaning(exit),
            errors(exit)
        );
    }
    text
}

/// The codes of the errors that end so.
fn errors(exit: Exit) -> String {
    let those = super::codes().into_iter().filter(|code| match exit {
        Exit::Class(class) => code.class() == class,
        // What a signal interrupts is one error, whichever signal it was that could be heard.
        Exit::Signal(number) => number != 9 && code.class() == Class::Interrupted,
        Exit::Success | Exit::NotUpToDate => false,
    });
    those.map(plimsoll_core::Code::as_str).collect::<Vec<_>>().join(", ")
}

fn list(again: Retry) -> String {
    let codes = ALL.iter().filter(|exit| retry(**exit) == again);
    codes.map(|exit| exit.code().to_string()).collect::<Vec<_>>().join(", ")
}

fn container(useful: &str) -> String {
    format!(
        "
At 137 look first whether the container's last state says `OOMKilled` (`kubectl describe pod POD`): a migration is read as a whole, one of
29.7 MB took 149 MB, and with too small a memory limit every attempt ends like that.

## An init container

Without a rule an init container is started again whatever its exit code is, after 10 seconds, then 20, up to 5 minutes.
That is right for a **Deployment**, StatefulSet or DaemonSet: a fixed image or a database that is back heals by itself. Do not
give it `restartPolicy: Never` there: the Pod becomes Failed, and the ReplicaSet makes another one at once, without a pause.

In a **Pod** of its own, or in a Job, a rule can tell what passes from what does not (Kubernetes 1.35 and newer):

```yaml
apiVersion: v1
kind: Pod
metadata:
  name: my-backend
spec:
  restartPolicy: Never
  initContainers:
    - name: migrate
      image: my-backend-image:latest
      command: [\"plimsoll\", \"deploy\"]
      env:
        - name: DATABASE_URL
          valueFrom: {{ secretKeyRef: {{ name: database-secret, key: database_url }} }}
      restartPolicy: Never
      restartPolicyRules:
        - action: Restart
          exitCodes: {{ operator: In, values: [{useful}] }}
  containers:
    - name: my-backend
      image: my-backend-image:latest
```
"
    )
}

fn job(useless: &str) -> String {
    format!(
        "
## A Job

A failure that stays is told at once instead of after six tries:

```yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: my-backend-migrate
spec:
  backoffLimit: 6
  podReplacementPolicy: Failed
  podFailurePolicy:
    rules:
      - action: FailJob
        onExitCodes: {{ containerName: migrate, operator: In, values: [{useless}] }}
      - action: Ignore
        onPodConditions: [{{ type: DisruptionTarget }}]
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: migrate
          image: my-backend-image:latest
          command: [\"plimsoll\", \"deploy\"]
          env:
            - name: DATABASE_URL
              valueFrom: {{ secretKeyRef: {{ name: database-secret, key: database_url }} }}
```
"
    )
}

/// Whether another start can end otherwise, while nobody changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    /// There is nothing to try again.
    Needless,
    /// It fails in the same way: a person has to do something.
    Useless,
    /// It may pass by itself.
    Useful,
}

/// SIGHUP, SIGINT, SIGQUIT, SIGKILL and SIGTERM. The fourth one is not told by the program, which cannot hear it.
const SIGNALS: [u8; 5] = [1, 2, 3, 9, 15];

/// Every way to end, in the order of the numbers.
const ALL: [Exit; 16] = [
    Exit::Success,
    Exit::NotUpToDate,
    Exit::Class(Class::Usage),
    Exit::Class(Class::Data),
    Exit::Class(Class::Unreachable),
    Exit::Class(Class::Bug),
    Exit::Class(Class::TryAgain),
    Exit::Class(Class::Denied),
    Exit::Class(Class::Config),
    Exit::Class(Class::CommandUnusable),
    Exit::Class(Class::CommandMissing),
    Exit::Signal(SIGNALS[0]),
    Exit::Signal(SIGNALS[1]),
    Exit::Signal(SIGNALS[2]),
    Exit::Signal(SIGNALS[3]),
    Exit::Signal(SIGNALS[4]),
];

/// When it ends so.
fn meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Success => "up to date, applied, or ahead and allowed",
        Exit::NotUpToDate => "`status`: not up to date; `inject --check`: something would change",
        Exit::Class(Class::Usage) => "wrong arguments",
        Exit::Class(Class::Data) => "a migration failed, or history and project contradict each other",
        Exit::Class(Class::Unreachable) => "the database could not be reached within `--wait`",
        Exit::Class(Class::Bug) => "a bug in Plimsoll",
        Exit::Class(Class::TryAgain) => {
            "a lock was not free in time, the database has no room left, it is not yet where it is waited for, `--timeout` is over, its URL has changed to another one, or an answer could not be written"
        }
        Exit::Class(Class::Denied) => "credentials or rights",
        Exit::Class(Class::Config) => "the project or its configuration is wrong",
        Exit::Class(Class::CommandUnusable) => "`exec`: the command cannot be executed",
        Exit::Class(Class::CommandMissing) => "`exec`: the command cannot be found",
        Exit::Class(Class::Interrupted) => "ended by a signal that nobody knows",
        Exit::Signal(1) => "SIGHUP: the terminal is gone, or it is the image's `STOPSIGNAL`",
        Exit::Signal(3) => "SIGQUIT: it is the image's `STOPSIGNAL`, or somebody pressed Ctrl-\\",
        Exit::Signal(2) => "SIGINT: somebody pressed Ctrl-C",
        Exit::Signal(9) => {
            "SIGKILL: out of memory, or the grace period was over. The kernel's word, not Plimsoll's"
        }
        Exit::Signal(15) => "SIGTERM: the pod was deleted, evicted or replaced",
        Exit::Signal(_) => "ended by another signal",
    }
}

/// Whether to start again.
fn retry(exit: Exit) -> Retry {
    match exit {
        Exit::Success | Exit::NotUpToDate => Retry::Needless,
        Exit::Class(Class::Unreachable | Class::TryAgain | Class::Interrupted) | Exit::Signal(_) => {
            Retry::Useful
        }
        Exit::Class(
            Class::Usage
            | Class::Data
            | Class::Bug
            | Class::Denied
            | Class::Config
            | Class::CommandUnusable
            | Class::CommandMissing,
        ) => Retry::Useless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::Code;

    #[test]
    fn the_numbers_are_those_of_the_documentation() {
        let codes = [0, 1, 64, 65, 69, 70, 75, 77, 78, 126, 127, 129, 130, 131, 137, 143];
        assert_eq!(ALL.map(Exit::code), codes);
    }

    #[test]
    fn every_error_ends_with_a_number_of_the_table() {
        for code in Code::ALL {
            let exit = Exit::Class(code.class()).code();
            assert!(ALL.iter().any(|known| known.code() == exit), "{code}: {exit}");
        }
    }
}
