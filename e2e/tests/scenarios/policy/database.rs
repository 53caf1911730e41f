//! The right database: the policy takes the URL that `inject` takes, or refuses where `inject` refuses to guess.

use plimsoll_e2e::try_to_inject;

use super::case::Case;
use super::guard::refused;
use super::same::gated_alike;

/// Two applications of one image.
fn two(what: &'static str, web: &str, worker: &str) -> Case {
    let volumes = "[{name: e, emptyDir: {}}, {name: f, emptyDir: {}}]";
    let containers = format!("[{{name: web, image: a, {web}}}, {{name: worker, image: a, {worker}}}]");
    Case::of(what, &format!("{{volumes: {volumes}, containers: {containers}}}"))
}

/// An application with these variables, and another container.
fn beside(what: &'static str, other: &str, entries: &str) -> Case {
    Case::of(what, &format!("{{containers: [{{name: app, image: a, env: [{entries}]}}, {other}]}}"))
}

/// An application with this URL, and another container.
fn leading(what: &'static str, other: &str, url: &str) -> Case {
    beside(what, other, &format!("{{name: DATABASE_URL, value: \"{url}\"}}"))
}

/// An application with a SQLite file.
fn file(what: &'static str, pods: &str, own: &str) -> Case {
    let env = "[{name: DATABASE_URL, value: \"file:/data/a\"}]";
    Case::of(what, &format!("{{{pods} containers: [{{name: app, image: a, {own} env: {env}}}]}}"))
}

/// Each pod is refused by the policy that guards, with this sentence, and by `inject`.
async fn refused_by_both(cases: &[(Case, &str)]) {
    for (case, _) in cases {
        let answer = try_to_inject(&case.manifest(), &[]);
        assert!(!answer.succeeded, "{}: {}", case.what, answer.stdout);
    }
    refused(&[], cases).await;
}

/// A URL that no manifest shows.
const SECRET: &str = "{name: DATABASE_URL, valueFrom: {secretKeyRef: {name: s, key: k}}}";
const ONE: &str = "env: [{name: DATABASE_URL, value: v}]";
const OTHER: &str = "env: [{name: DATABASE_URL, value: w}]";
const SOURCE: &str = "envFrom: [{secretRef: {name: s}}]";
const FILE: &str =
    "env: [{name: DATABASE_URL, value: \"file:/e/a\"}], volumeMounts: [{name: e, mountPath: /e}]";
const CHAIN: &str = "env: [{name: C, value: c}, {name: B, value: $(C)}, {name: DATABASE_URL, value: $(B)}]";
const MISSING: &str = "env: [{name: DATABASE_URL, value: $(U)}]";

#[tokio::test]
async fn the_policy_takes_one_of_several_containers_where_inject_does() {
    let more = "env: [{name: A, value: a}, {name: DATABASE_URL, value: v}], volumeMounts: [{name: e, mountPath: /e}]";
    let shown = format!("{SOURCE}, {MISSING}");
    gated_alike(
        &[],
        &[
            two("one URL", ONE, more),
            two("one URL and other sources", &format!("{SOURCE}, {ONE}"), ONE),
            two("one URL behind references", CHAIN, &CHAIN.replace("env: [", "env: [{name: X, value: x}, ")),
            two("one URL that refers to one source", &shown, &shown),
            two("one source", SOURCE, SOURCE),
            two("one file", FILE, FILE),
            two("two URLs, one of which is named", ONE, OTHER).labelled("plimsoll.dev/container: worker"),
        ],
    )
    .await;
    gated_alike(&["--secret=owner/url"], &[two("two URLs, and a Secret", ONE, OTHER)]).await;
}

#[tokio::test]
async fn containers_with_different_databases_are_refused_by_both() {
    let unclear = "the gate could take its URL from any of `web`, `worker`: the label or annotation `plimsoll.dev/container`";
    let case = |what, web: &str, worker: &str| (two(what, web, worker), unclear);
    let of = |secret: &str| SOURCE.replace("name: s", &format!("name: {secret}"));
    let long = CHAIN.replace("value: c", "value: $(D)");
    refused_by_both(&[
        case("two URLs", ONE, OTHER),
        case("a direct URL in one", ONE, &ONE.replace("env: [", "env: [{name: DIRECT_URL, value: d}, ")),
        case("one of ours in one", &ONE.replace("env: [", "env: [{name: PLIMSOLL_LOG, value: x}, "), ONE),
        case("two values at the end of references", CHAIN, &CHAIN.replace("value: c", "value: d")),
        case("an end of references in one", &long, &long.replace("env: [", "env: [{name: D, value: d}, ")),
        case("two sources", SOURCE, &of("t")),
        case(
            "two sources that one URL refers to",
            &format!("{SOURCE}, {MISSING}"),
            &format!("{}, {MISSING}", of("t")),
        ),
        case("one path on two volumes", FILE, &FILE.replace("{name: e,", "{name: f,")),
    ])
    .await;
}

#[tokio::test]
async fn the_policy_finds_the_way_to_the_database_that_inject_finds() {
    let (proxy, mesh) = ("{name: p, image: \"x/pgbouncer:1\"}", "{name: istio-proxy, image: m}");
    let local = "{name: DATABASE_URL, value: \"postgres://localhost/d\"}";
    let past = format!("{local}, {{name: DIRECT_URL, value: \"postgres://db/d\"}}");
    let ours = format!("{local}, {{name: PLIMSOLL_URL, value: \"postgres://db/d\"}}");
    let host = "{name: HOST, value: db}, {name: DATABASE_URL, value: \"postgres://u:$(PW)@$(HOST):5432/d\"}";
    let with = |what, more: &str| {
        Case::of(what, &format!("{{{more} containers: [{{name: app, image: a, env: [{local}]}}, {mesh}]}}"))
    };
    gated_alike(
        &[],
        &[
            beside("a mesh beside a URL that nobody sees", mesh, SECRET),
            beside("a proxy beside a URL past it", proxy, &past),
            beside("a proxy beside a URL of ours", proxy, &ours),
            beside("a proxy beside a host in another variable", proxy, host),
            leading("a proxy beside a user called `localhost`", proxy, "postgres://localhost@db/d"),
            leading("a proxy beside a host in a parameter", proxy, "postgres://localhost/d?a=b&host=db"),
            leading("a proxy beside a file", proxy, "file:/data/a"),
            with("a native sidecar", "initContainers: [{name: p, image: p, restartPolicy: Always}],"),
            with("the network of the node", "hostNetwork: true,"),
            Case::of("nothing beside", &format!("{{containers: [{{name: app, image: a, env: [{local}]}}]}}")),
        ],
    )
    .await;
    let secret = ["--secret=owner/url"];
    gated_alike(&secret, &[beside("a proxy", proxy, SECRET), beside("a way into the pod", mesh, local)])
        .await;
}

#[tokio::test]
async fn a_database_behind_what_starts_after_the_gate_is_refused_by_both() {
    let (proxy, other) = ("{name: p, image: \"x/cloud-sql-proxy:1\"}", "{name: other, image: o}");
    let inside = "its URL leads into the pod itself, and a gate is an init container: it ends before `other` starts: make the proxy a native sidecar";
    let behind =
        "its database may be behind a proxy, and a gate is an init container: it ends before `p` starts";
    let host = "{name: HOST, value: 127.0.0.1}, {name: DATABASE_URL, value: \"postgres://u@$(HOST)/d\"}";
    let whole = "{name: U, value: \"postgres://localhost/d\"}, {name: DATABASE_URL, value: $(U)}";
    refused_by_both(&[
        (leading("a port of the pod", other, "postgres://u:p@localhost:5432/d"), inside),
        (leading("a socket", other, "postgres://u@db/d?sslmode=disable&host=%2Fcloudsql%2Fa"), inside),
        (leading("no host", other, "postgres:///d"), inside),
        (beside("a host in another variable", other, host), inside),
        (beside("a URL in another variable", other, whole), inside),
        (beside("a proxy before a URL that nobody sees", proxy, SECRET), behind),
        (
            leading("a proxy before a host that nobody sees", "{name: p, image: pgcat}", "postgres://$(H)/d"),
            behind,
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_policy_makes_the_gate_the_user_of_a_sqlite_file_where_inject_does() {
    let user = "securityContext: {runAsUser: 1001},";
    let root = "securityContext: {runAsUser: 0, runAsGroup: 0},";
    let image = "securityContext: {runAsNonRoot: true, runAsGroup: 5},";
    gated_alike(
        &[],
        &[
            file("nobody's", "", ""),
            file("root's", "", root),
            file("an image's user's", "", image),
            file("the container's user's", "", user),
            file("the pod's user's", user, ""),
            file("root's over the pod's user", user, root),
        ],
    )
    .await;
    for flags in [["--run-as-user=7"], ["--run-as-user=image"], ["--secret=owner/url"]] {
        gated_alike(&flags, &[file("a flag decides", "", "")]).await;
    }
}
