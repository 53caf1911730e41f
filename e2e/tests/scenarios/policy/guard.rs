//! What the policies refuse, and what they say then.

use plimsoll_e2e::{Namespace, cluster, policies, with_namespace};
use plimsoll_testkit::wait;

use super::bind;
use super::case::{Case, create, plain};

/// Each pod is refused by the policy that guards, with one line in which the sentence is.
pub(super) async fn refused(flags: &[&str], cases: &[(Case, &str)]) {
    with_namespace(async |ns| {
        bind(ns, flags, &plain());
        let wrong: Vec<String> =
            cases.iter().filter_map(|(case, sentence)| wrong(ns, case, sentence)).collect();
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    })
    .await;
}

fn wrong(ns: &Namespace, case: &Case, sentence: &str) -> Option<String> {
    let answer = create(ns, &case.manifest());
    // What else is said may be a warning about the pod itself.
    let text = answer.stderr.lines().find(|line| !line.starts_with("Warning: ")).unwrap_or_default();
    let is_said = text.contains(&format!("Plimsoll cannot gate this pod: {sentence}"));
    let is_plain = !text.contains("variables.");
    (answer.succeeded || !is_said || !is_plain).then(|| format!("{}: {}{text}", case.what, answer.stdout))
}

#[tokio::test]
async fn a_container_that_holds_nobody_back_is_no_gate() {
    let init = |what, container: &str| {
        Case::of(what, &format!("{{initContainers: [{container}], containers: [APP]}}"))
    };
    refused(&[], &[
        (
            init("a container of the gate's name", "{name: plimsoll, image: busybox, command: [\"true\"]}"),
            "it has a container `plimsoll` already, which is no gate: give that one another name, or the gate: `plimsoll inject --emit map --name NAME`",
        ),
        (Case::of("an application of the gate's name", "{containers: [{name: plimsoll, image: a, env: [{name: DATABASE_URL, value: u}]}]}"), "it has a container `plimsoll` already"),
        (
            init("a sidecar", "{name: gate, image: a, command: [plimsoll, wait], restartPolicy: Always}"),
            "container `gate` runs Plimsoll, and the application does not wait for it",
        ),
        (Case::of("one of two applications", "{containers: [APP, {name: other, image: a, command: [plimsoll, deploy]}]}"), "container `other` runs Plimsoll, and the application does not wait"),
        (init("a shell that goes on", "{name: gate, image: a, command: [sh, -c, plimsoll deploy || true]}"), "container `gate` runs Plimsoll in a way that a policy cannot read"),
        (init("a shell that goes on in the next statement", "{name: gate, image: a, command: [sh, -c, \"plimsoll deploy; true\"]}"), "container `gate` runs Plimsoll in a way"),
    ])
    .await;
}

#[tokio::test]
async fn what_a_policy_does_not_do_is_refused_with_the_way_on() {
    let app = || Case::of("an option", "{containers: [APP]}");
    let containers = |what, containers: &str| Case::of(what, &format!("{{containers: [{containers}]}}"));
    let chain = "{name: E, value: e}, {name: D, value: $(E)}, {name: C, value: $(D)}, {name: B, value: $(C)}, {name: DATABASE_URL, value: $(B)}";
    refused(&[], &[
        (app().annotated("plimsoll.dev/if-ahead: refuse"), "a policy does not read `plimsoll.dev/if-ahead` of a pod: give it to `plimsoll inject --emit map --if-ahead`"),
        (app().labelled("plimsoll.dev/mode: wait"), "a policy does not read `plimsoll.dev/mode`"),
        (app().annotated("plimsoll.dev/if-ahed: refuse"), "there is no option `plimsoll.dev/if-ahed` for a pod"),
        (app().annotated("plimsoll.dev/inject: \"yes\""), "the annotation `plimsoll.dev/inject` cannot be `yes`: expected `true` or `false`"),
        (app().annotated("plimsoll.dev/container: gone"), "it has no container `gone`: it has `app`"),
        (Case::of("Windows by its nodes", "{nodeSelector: {kubernetes.io/os: windows}, containers: [APP]}"), "it runs on Windows"),
        (containers("no URL", "{name: app, image: a}"), "nothing says where the database is: container `app` has no variable `DATABASE_URL`"),
        (containers("nothing but sidecars", "{name: istio-proxy, image: i}"), "none of its containers looks like an application: the label or annotation `plimsoll.dev/container`"),
        (containers("two images", "{name: a, image: a, env: [{name: DATABASE_URL, value: v}]}, {name: b, image: b, env: [{name: DATABASE_URL, value: v}]}"), "the gate could take its image from any of `a`, `b`"),
        (containers("Prisma in the application", "{name: app, image: a, command: [sh, -c, npx prisma migrate deploy && node x]}"), "container `app` runs `prisma migrate deploy`, which a policy cannot replace"),
        (
            Case::of("Prisma in an init container", "{initContainers: [{name: old, image: a, args: [npx, prisma, migrate, deploy]}], containers: [APP]}"),
            "container `old` runs `prisma migrate deploy`",
        ),
        (containers("a long chain of references", &format!("{{name: app, image: a, env: [{chain}]}}")), "the variables of container `app` refer to each other over more than two steps"),
        (containers("a variable that stands twice", "{name: app, image: a, env: [{name: DATABASE_URL, value: a}, {name: DATABASE_URL, value: b}]}"), "container `app` has a variable twice"),
    ])
    .await;
}

#[tokio::test]
async fn what_the_flags_of_a_policy_contradict_is_refused() {
    refused(&["--plimsoll-image=example.test/p:1", "--container=app"], &[
        (Case::of("another container", "{containers: [APP]}").labelled("plimsoll.dev/container: web"), "`plimsoll.dev/container` of the pod is not the `--container` that the policy was made with, `app`"),
        (Case::of("a volume of the same name", "{volumes: [{name: plimsoll-bin, emptyDir: {}}], containers: [APP]}"), "it has a volume `plimsoll-bin` already"),
    ])
    .await;
    refused(&["--existing=keep"], &[(
        Case::of("one of two may migrate", "{containers: [{name: a, image: a, command: [npx, prisma, migrate, deploy]}, {name: b, image: b}]}"),
        "the gate could take its image from any of `a`, `b`",
    )])
    .await;
}

#[tokio::test]
async fn a_pod_for_which_nothing_injects_is_refused() {
    with_namespace(async |ns| {
        let all = policies(ns, &[]);
        let guard = all
            .split("---\n")
            .filter(|one| one.contains("kind: Validating"))
            .collect::<Vec<_>>()
            .join("---\n");
        cluster().kubectl(&["apply", "--filename=-"], &guard).expect("the policy is accepted");
        wait::until("the guard is at work", || {
            create(ns, &plain().manifest())
                .stderr
                .contains("and no gate: is the policy that injects bound here?")
        });
    })
    .await;
}
