//! The policy and `plimsoll inject` are two programs: what either makes of a pod is compared, pod by pod.

use plimsoll_e2e::{Namespace, try_to_inject, with_namespace};
use serde_json::Value;

use super::bind;
use super::case::{Case, create, created, plain};

/// Compares the two for pods of a namespace in which the policies were made with these flags. Every pod gets a gate.
pub(super) async fn gated_alike(flags: &[&str], cases: &[Case]) {
    alike(flags, &cases[0], cases, |pod| assert_eq!(gates(pod), 1, "one gate: {pod:#}")).await;
}

async fn alike(flags: &[&str], probe: &Case, cases: &[Case], check: impl Fn(&Value)) {
    with_namespace(async |free| {
        with_namespace(async |ns| {
            bind(ns, flags, probe);
            let different: Vec<String> =
                cases.iter().filter_map(|case| difference(ns, free, flags, case, &check)).collect();
            assert!(
                different.is_empty(),
                "{} of {} differ:\n{}",
                different.len(),
                cases.len(),
                different.join("\n")
            );
        })
        .await;
    })
    .await;
}

/// How the pod of the policy differs from the one of `inject`, which is given to an API server without policies.
fn difference(
    ns: &Namespace,
    free: &Namespace,
    flags: &[&str],
    case: &Case,
    check: impl Fn(&Value),
) -> Option<String> {
    let manifest = case.manifest();
    let injected = try_to_inject(&manifest, flags);
    if !injected.succeeded {
        return Some(format!("{}: inject refuses: {}", case.what, injected.stderr));
    }
    let injected = created(create(free, &injected.stdout), case.what);
    check(&injected);
    let answer = create(ns, &manifest);
    if !answer.succeeded {
        return Some(format!("{}: the API server refuses: {}", case.what, answer.stderr));
    }
    let by_policy = created(answer, case.what);
    (by_policy != injected)
        .then(|| format!("{}: by the policy\n{by_policy:#}\nby inject\n{injected:#}", case.what))
}

/// How many containers run Plimsoll.
fn gates(pod: &Value) -> usize {
    let of = |kind: &str| pod["spec"][kind].as_array().cloned().unwrap_or_default();
    let words = |container: &Value| format!("{} {}", container["command"], container["args"]);
    of("initContainers")
        .iter()
        .chain(&of("containers"))
        .filter(|container| words(container).contains("plimsoll"))
        .count()
}

/// A container with `envFrom` and these entries.
fn sourced(what: &'static str, entries: &str) -> Case {
    let container =
        format!("{{name: app, image: a, envFrom: [{{secretRef: {{name: s}}}}], env: [{entries}]}}");
    Case::of(what, &format!("{{containers: [{container}]}}"))
}

#[tokio::test]
async fn the_policy_takes_the_variables_that_inject_takes() {
    gated_alike(&[], &[
        Case::of("one variable", "{containers: [APP]}"),
        Case::of(
            "a URL that refers to what only `envFrom` can have",
            "{containers: [{name: app, image: a, envFrom: [{secretRef: {name: s}}], env: [{name: DATABASE_URL, value: \"postgres://$(PGUSER)@h/d\"}]}]}",
        ),
        Case::of(
            "a URL that refers to what refers to another, and one of them not by value",
            "{containers: [{name: app, image: a, env: [{name: C, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: X, value: x}, \
             {name: B, value: \"b$(C)\"}, {name: DATABASE_URL, value: \"postgres://$(B)@h/d\"}]}]}",
        ),
        Case::of(
            "another URL beside it, with references of its own",
            "{containers: [{name: app, image: a, env: [{name: PW, value: p}, {name: OTHER, value: o}, \
             {name: DIRECT_URL, value: \"postgres://u:$(PW)@h/d\"}, {name: DATABASE_URL, value: \"postgres://h/d\"}]}]}",
        ),
        Case::of(
            "a dollar that is none of Kubernetes', before what looks like a reference",
            "{containers: [{name: app, image: a, envFrom: [{secretRef: {name: s}}], env: [{name: PW, value: p}, \
             {name: DATABASE_URL, value: \"postgres://$$(PW)@h/$x/$(OPEN\"}]}]}",
        ),
        Case::of("all of `envFrom`", "{containers: [{name: app, image: a, envFrom: [{secretRef: {name: s}}, {configMapRef: {name: c}}]}]}"),
        Case::of(
            "variables of ours, one of which is the gate's own",
            "{containers: [{name: app, image: a, env: [{name: PLIMSOLL_POD, value: mine}, {name: PLIMSOLL_RELEASE, value: r}, \
             {name: PLIMSOLL_LOG_FORMAT, value: json}, {name: DATABASE_URL, value: \"postgres://h/d\"}]}]}",
        ),
        Case::of("a label that says the release", "{containers: [{name: app, image: a, env: [{name: PLIMSOLL_RELEASE, value: r}, {name: DATABASE_URL, value: \"postgres://h/d\"}]}]}")
            .labelled("app.kubernetes.io/version: \"7\""),
        Case::of(
            "a URL in a file",
            "{volumes: [{name: s, secret: {secretName: s}}], containers: [{name: app, image: a, \
             volumeMounts: [{name: s, mountPath: /secret}], env: [{name: PLIMSOLL_URL_FILE, value: /secret/url}]}]}",
        ),
        Case::of(
            "what the application trusts",
            "{containers: [{name: app, image: a, env: [{name: SSL_CERT_FILE, value: /etc/$(CA)}, {name: CA, value: ca.crt}, \
             {name: SSL_CERT_DIR, value: /etc/ssl}, {name: SSL_OTHER, value: o}, {name: DATABASE_URL, value: \"postgres://h/d\"}]}]}",
        ),
        sourced("`envFrom`, which may have a direct URL", "{name: DATABASE_URL, value: \"postgres://h/d\"}"),
        sourced("`envFrom` beside a direct URL", "{name: DATABASE_URL, value: \"postgres://h/d\"}, {name: DIRECT_URL, value: \"postgres://d/d\"}"),
        sourced("`envFrom` beside another direct URL", "{name: DATABASE_URL, value: \"postgres://h/d\"}, {name: DIRECT_DATABASE_URL, value: \"postgres://d/d\"}"),
        sourced("`envFrom` beside a direct URL that refers to it", "{name: DATABASE_URL, value: \"postgres://h/d\"}, {name: DIRECT_URL, value: \"postgres://$(HOST)/d\"}"),
        sourced("`envFrom` beside nothing but a direct URL", "{name: DIRECT_URL, value: \"postgres://d/d\"}"),
        sourced("`envFrom` beside a URL of ours", "{name: PLIMSOLL_URL, value: \"postgres://h/d\"}"),
        sourced("`envFrom` beside a URL of ours that refers to it", "{name: PLIMSOLL_URL, value: \"postgres://$(HOST)/d\"}"),
        sourced("`envFrom` beside a file with the URL", "{name: PLIMSOLL_URL_FILE, value: /url}"),
        Case::of("nothing but a URL of ours", "{containers: [{name: app, image: a, env: [{name: PLIMSOLL_URL, value: \"postgres://h/d\"}]}]}"),
    ])
    .await;
}

#[tokio::test]
async fn the_policy_takes_the_container_that_inject_takes() {
    gated_alike(&[], &[
        Case::of("the one with a URL behind one without", "{containers: [{name: web, image: nginx}, APP]}"),
        Case::of("a sidecar by its name first", "{containers: [{name: istio-proxy, image: m, env: [{name: DATABASE_URL, value: v}]}, APP]}"),
        Case::of(
            "a sidecar by its image first, with a digest and a port",
            "{containers: [{name: proxy, image: \"gcr.test:5000/x/cloud-sql-proxy:2@sha256:0000000000000000000000000000000000000000000000000000000000000000\", \
             env: [{name: DATABASE_URL, value: v}]}, APP]}",
        ),
        Case::of("the one that `kubectl logs` would take", "{containers: [{name: web, image: nginx, envFrom: [{secretRef: {name: s}}]}, {name: app, image: a, envFrom: [{secretRef: {name: t}}]}]}")
            .annotated("kubectl.kubernetes.io/default-container: app"),
        Case::of("the one that the pod's label names", "{containers: [{name: web, image: nginx, env: [{name: DATABASE_URL, value: v}]}, {name: other, image: a, env: [{name: DATABASE_URL, value: w}]}]}")
            .labelled("plimsoll.dev/container: other"),
        Case::of("the one that its annotation names, against the label", "{containers: [{name: web, image: nginx, env: [{name: DATABASE_URL, value: v}]}, {name: other, image: a, env: [{name: DATABASE_URL, value: w}]}]}")
            .labelled("plimsoll.dev/container: web")
            .annotated("plimsoll.dev/container: other"),
        Case::of("pull policy and directory", "{containers: [{name: app, image: a, imagePullPolicy: Always, workingDir: /srv, env: [{name: DATABASE_URL, value: v}]}]}"),
        Case::of("a place behind sidecars and before others", "{initContainers: [{name: first, image: i}, {name: proxy, image: p, restartPolicy: Always}, {name: last, image: i}], containers: [APP]}"),
        Case::of("another command of Prisma's", "{initContainers: [{name: seed, image: i, command: [npx, prisma, db, seed]}], containers: [APP]}"),
    ])
    .await;
}

const MOUNTS: &str = "volumes: [{name: d, persistentVolumeClaim: {claimName: d}}, {name: s, secret: {secretName: s}}, \
                      {name: c, configMap: {name: c}}, {name: e, emptyDir: {}}]";

#[tokio::test]
async fn the_policy_mounts_what_inject_mounts() {
    let of = |what, url: &str| {
        let spec = format!(
            "{{{MOUNTS}, containers: [{{name: app, image: a, env: [{{name: DATABASE_URL, value: \"{url}\"}}], volumeMounts: [\
             {{name: e, mountPath: /tmp}}, {{name: s, mountPath: /etc/s, subPath: x}}, {{name: d, mountPath: /data/}}, {{name: c, mountPath: /etc/c}}]}}]}}"
        );
        Case::of(what, &spec)
    };
    gated_alike(
        &[],
        &[
            of("configuration, read-only", "postgres://h/d"),
            of("the volume of a SQLite file", "file:/data/app.db?mode=rwc"),
            of("the volume of a SQLite file behind slashes", "file:///data/app.db"),
            of("a SQLite file that lies on none", "file:/database/app.db"),
            of("a SQLite file of which nobody knows where it lies", "file:./app.db"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_policy_makes_the_gate_as_safe_and_as_small_as_inject_does() {
    let of = |what, pods: &str, own: &str| {
        let spec = format!(
            "{{{pods} containers: [{{name: app, image: a, {own} env: [{{name: DATABASE_URL, value: v}}]}}]}}"
        );
        Case::of(what, &spec)
    };
    gated_alike(
        &[],
        &[
            of(
                "user and group of the container",
                "",
                "securityContext: {runAsUser: 1001, runAsGroup: 2002},",
            ),
            of("user of the pod", "securityContext: {runAsUser: 1001, runAsGroup: 2002},", ""),
            of(
                "root in the container over a user of the pod",
                "securityContext: {runAsUser: 1001},",
                "securityContext: {runAsUser: 0, runAsGroup: 0},",
            ),
            of(
                "a profile of the pod",
                "securityContext: {seccompProfile: {type: Localhost, localhostProfile: p.json}},",
                "",
            ),
            of("no profile of the pod", "securityContext: {seccompProfile: {type: Unconfined}},", ""),
            of(
                "a guaranteed pod",
                "",
                "resources: {limits: {cpu: \"1\", memory: 1Gi}, requests: {cpu: \"1\", memory: 1Gi}},",
            ),
            of("a guaranteed pod without requests", "", "resources: {limits: {cpu: 1, memory: 1Gi}},"),
            of(
                "a guaranteed pod in other words",
                "",
                "resources: {limits: {cpu: \"1\", memory: 1Gi}, requests: {cpu: 1000m, memory: 1024Mi}},",
            ),
            of(
                "a pod that is not guaranteed",
                "",
                "resources: {limits: {cpu: \"1\", memory: 1Gi}, requests: {cpu: 500m, memory: 1Gi}},",
            ),
            of("a pod with resources as a whole", "resources: {limits: {cpu: \"1\", memory: 1Gi}},", ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_policy_leaves_alone_what_inject_leaves_alone() {
    let by = |what, command: &str| {
        Case::of(
            what,
            &format!("{{initContainers: [{{name: gate, image: a, {command}}}], containers: [APP]}}"),
        )
    };
    let gated = [
        by("deploy", "command: [plimsoll, deploy]"),
        by("another path, and args", "command: [/opt/plimsoll], args: [wait, --schema=x]"),
        by("args alone", "args: [plimsoll, deploy]"),
        by("as Prisma is called", "command: [plimsoll, migrate, deploy, --schema=prisma/schema.prisma]"),
        by("behind an init process", "command: [tini, -s, --, plimsoll, deploy]"),
        by("behind variables", "command: [env, A=b, plimsoll, deploy]"),
        by(
            "by a shell",
            "command: [sh, -ec, \"set -e; exec plimsoll migrate deploy --schema=./prisma/schema.prisma\"]",
        ),
        Case::of(
            "exec in every container",
            "{containers: [{name: app, image: a, command: [plimsoll, exec, --, node, x]}]}",
        ),
        Case::of(
            "by a shell before the application",
            "{containers: [{name: app, image: a, command: [sh, -c], args: [plimsoll deploy && exec node x]}, {name: istio-proxy, image: i}]}",
        ),
        Case::of(
            "a gate of an earlier run with its own options",
            "{initContainers: [{name: gate, image: a, command: [plimsoll, deploy]}], containers: [APP]}",
        )
        .annotated("plimsoll.dev/if-ahead: refuse"),
    ];
    alike(&[], &plain(), &gated, |pod| assert_eq!(gates(pod), 1, "the one that was there: {pod:#}")).await;
    let no =
        Case::of("the annotation says no", "{containers: [APP]}").annotated("plimsoll.dev/inject: \"false\"");
    alike(&[], &plain(), &[no], |pod| assert_eq!(gates(pod), 0, "no gate: {pod:#}")).await;
}

#[tokio::test]
async fn the_policy_reads_its_flags_as_inject_does() {
    let urls = "{containers: [{name: app, image: a, env: [{name: A, value: a}, {name: DIRECT_URL, value: d}, {name: DATABASE_URL, value: u}, {name: PLIMSOLL_URL, value: p}]}]}";
    gated_alike(&["--secret=owner/url", "--copy-env=A"], &[
        Case::of("other URLs", urls),
        Case::of("the same URL", "{containers: [{name: app, image: a, env: [{name: A, value: a}, {name: DATABASE_URL, value: u}]}]}"),
        Case::of("two with two URLs, and what both trust", "{containers: [{name: app, image: a, env: [{name: SSL_CERT_FILE, value: f}, {name: A, value: a}, {name: DATABASE_URL, value: u}]}, {name: b, image: a, env: [{name: DATABASE_URL, value: w}]}]}"),
        Case::of("a URL that refers to `envFrom`", "{containers: [{name: app, image: a, envFrom: [{secretRef: {name: s}}], env: [{name: A, value: $(B)}, {name: DATABASE_URL, value: $(C)}]}]}"),
        Case::of("what no manifest shows", "{containers: [{name: app, image: a, env: [{name: A, value: a}], envFrom: [{secretRef: {name: s}}]}]}"),
    ])
    .await;
    let volumes = format!(
        "{{{MOUNTS}, containers: [{{name: app, image: a, env: [{{name: URL, value: u}}], volumeMounts: [{{name: s, mountPath: /s}}, {{name: d, mountPath: /d}}]}}]}}"
    );
    gated_alike(
        &[
            "--plimsoll-image=example.test/plimsoll:1",
            "--mount=d",
            "--env=URL",
            "--name=gate",
            "--place=last",
            "--schema=a\"b$(c)",
            "--mode=wait",
            "--run-as-user=7",
        ],
        &[
            Case::of("a volume for the binary beside others", &volumes),
            Case::of(
                "the last of all",
                &volumes.replace("containers:", "initContainers: [{name: other, image: i}], containers:"),
            ),
        ],
    )
    .await;
    let own = "{containers: [{name: app, image: a, securityContext: {runAsUser: 5, allowPrivilegeEscalation: true}, env: [{name: DATABASE_URL, value: u}]}]}";
    gated_alike(
        &["--security=container", "--place=first", "--container=app", "--binary=/opt/plimsoll-2"],
        &[
            Case::of("the container's own rights", own),
            Case::of(
                "no rights at all",
                "{initContainers: [{name: p, image: p, restartPolicy: Always}], containers: [APP]}",
            ),
        ],
    )
    .await;
    gated_alike(&["--existing=keep", "--security=none", "--run-as-user=image"], &[
        Case::of(
            "a Prisma command that stays, and what it had from elsewhere",
            "{initContainers: [{name: old, image: a, command: [npx, prisma, migrate, deploy]}], containers: [{name: app, image: a, envFrom: [{secretRef: {name: s}}], \
             env: [{name: DATABASE_URL, value: u}, {name: DIRECT_URL, value: d}]}]}",
        ),
        Case::of("a Prisma command that stays", "{initContainers: [{name: old, image: a, command: [npx, prisma, migrate, deploy]}], containers: [{name: app, image: a}]}"),
    ])
    .await;
}
