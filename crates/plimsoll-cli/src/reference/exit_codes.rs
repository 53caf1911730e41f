//! `docs/exit-codes.md`: the numbers, and what Kubernetes should do with each.

use std::fmt::Write as _;

use plimsoll_core::Code;

use crate::exit::{Exit, Retry};

/// The whole document.
pub(super) fn document() -> String {
    let (useless, useful) = (list(Retry::Useless), list(Retry::Useful));
    format!("{HEAD}{}{}{}{}", table(), container(&useful), job(&useless), TAIL)
}

const HEAD: &str = "\
# Exit codes

Made from the code by `cargo xtask docs`: change `crates/plimsoll-cli/src/exit.rs`.

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
    for exit in Exit::ALL {
        let (again, container, job) = match exit.retry() {
            Retry::Needless => ("", "", ""),
            Retry::Useless => ("no: a person has to do something", "none: it stays as it is", "`FailJob`"),
            Retry::Useful => ("yes", "`Restart`", "none: it counts and is tried again"),
        };
        let _infallible = writeln!(
            text,
            "| {} | {} | {again} | {container} | {job} | {} |",
            exit.code(),
            exit.meaning(),
            errors(exit)
        );
    }
    text
}

/// The codes of the errors that end so.
fn errors(exit: Exit) -> String {
    let those = Code::ALL.iter().filter(|code| match exit {
        Exit::Class(class) => code.class() == class,
        // What a signal interrupts is one error, whichever signal it was that could be heard.
        Exit::Signal(number) => number != 9 && code.class() == plimsoll_core::Class::Interrupted,
        Exit::Success | Exit::NotUpToDate => false,
    });
    those.map(|code| code.as_str()).collect::<Vec<_>>().join(", ")
}

fn list(retry: Retry) -> String {
    let codes = Exit::ALL.iter().filter(|exit| exit.retry() == retry);
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
