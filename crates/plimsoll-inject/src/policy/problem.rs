//! What a policy cannot do as `inject` does it, or what `inject` would not do either: a sentence with the way on.

use super::cel::{names, text, texts};
use super::gated::{is_gate, mentions};
use super::proxy;
use crate::facts::{NODE_OS, VOLUME};
use crate::options::{OPTIONS, PREFIX, Scope};
use crate::settings::{Delivery, Existing, Settings};

/// A condition, and the expression of the sentence that is said if it holds.
pub(super) type Refusal = (String, String);

/// The sentence that says why a pod without a gate cannot be given one; empty if it can.
///
/// The first that applies is said: each may rely on those before it.
pub(super) fn problem(settings: &Settings) -> String {
    let all =
        asked(settings).into_iter().chain(present(settings)).chain(source(settings)).chain(needs(settings));
    let chain: Vec<String> = all.map(|(holds, sentence)| format!("({holds}) ? {sentence} :\n")).collect();
    let chain = chain.concat();
    format!("variables.gated ? '' :\n{chain}''")
}

/// What the pod's labels and annotations ask for.
fn asked(settings: &Settings) -> Vec<Refusal> {
    let foreign = |kind: &str, honoured: &[&str]| {
        format!(
            "variables.{kind}.map(k, k).filter(k, k.startsWith({}) && !(k in {}))",
            text(PREFIX),
            texts(honoured.iter().copied())
        )
    };
    let of_labels = foreign("labels", &["plimsoll.dev/inject", "plimsoll.dev/container"]);
    let of_annotations =
        foreign("annotations", &["plimsoll.dev/inject", "plimsoll.dev/container", "plimsoll.dev/gate"]);
    let known = texts(OPTIONS.iter().filter(|row| row.scope == Scope::Workload).map(|row| row.name));
    let refused = format!("({of_labels} + {of_annotations})");
    let contradicts = settings.container.as_deref().map(|flag| {
        let flag = text(flag);
        (
            format!("[variables.labels, variables.annotations].exists(m, 'plimsoll.dev/container' in m && m['plimsoll.dev/container'].trim() != {flag})"),
            format!("'`plimsoll.dev/container` of the pod is not the `--container` that the policy was made with, `' + {flag} + '`: leave one of them out'"),
        )
    });
    let mut all = vec![
        (
            "'plimsoll.dev/inject' in variables.annotations && !(variables.annotations['plimsoll.dev/inject'].trim() in ['true', 'false'])".to_owned(),
            "'the annotation `plimsoll.dev/inject` cannot be `' + variables.annotations['plimsoll.dev/inject'] + '`: expected `true` or `false`'".to_owned(),
        ),
        (
            format!("{refused}.size() > 0"),
            format!(
                "{refused}.map(k, k.substring({}) in {known} ? \
                 'a policy does not read `' + k + '` of a pod: give it to `plimsoll inject --emit map --' + k.substring({}) + '`, or inject into the manifest' : \
                 'there is no option `' + k + '` for a pod')[0]",
                PREFIX.len(),
                PREFIX.len()
            ),
        ),
    ];
    all.extend(contradicts);
    all
}

/// What the pod runs already.
fn present(settings: &Settings) -> Vec<Refusal> {
    let gates = format!("variables.all.filter(c, {})", is_gate("c", settings));
    let speaking = format!("variables.all.filter(c, {})", mentions("c"));
    let mut all = vec![
        (
            format!("{gates}.size() > 0"),
            format!(
                "'container ' + {} + ' runs Plimsoll, and the application does not wait for it: a gate is an init container without `restartPolicy: Always`, or the application behind `plimsoll exec --`'",
                names(&gates)
            ),
        ),
        (
            format!("{speaking}.size() > 0"),
            format!(
                "'container ' + {} + ' runs Plimsoll in a way that a policy cannot read: write its command as in `command: [plimsoll, exec, --, node, dist/index.js]`'",
                names(&speaking)
            ),
        ),
    ];
    if settings.existing == Existing::Replace {
        all.push((
            "variables.migrating.size() > 0".to_owned(),
            format!("'container ' + {} + ' runs `prisma migrate deploy`, which a policy cannot replace: inject into the manifest, or `plimsoll inject --emit map --existing keep` puts the gate before it and leaves it'", names("variables.migrating")),
        ));
    }
    all
}

/// Whether there is one container to make the gate from, and a place for it.
fn source(settings: &Settings) -> Vec<Refusal> {
    let name = text(&settings.name);
    let node = format!("object.spec.nodeSelector[{}]", text(NODE_OS));
    let selected = format!(
        "has(object.spec.nodeSelector) && {} in object.spec.nodeSelector && {node} == 'windows'",
        text(NODE_OS)
    );
    let container = "the label or annotation `plimsoll.dev/container`";
    let mut all = vec![
        (
            format!("has(object.spec.os) && has(object.spec.os.name) ? object.spec.os.name == 'windows' : ({selected})"),
            "'it runs on Windows, and Plimsoll is a program for Linux: leave the label `plimsoll.dev/inject` out'".to_owned(),
        ),
        (
            format!("variables.all.exists(c, c.name == {name})"),
            format!("'it has a container `' + {name} + '` already, which is no gate: give that one another name, or the gate: `plimsoll inject --emit map --name NAME`'"),
        ),
        (
            "variables.possible.size() == 0 && variables.wanted != ''".to_owned(),
            format!("'it has no container `' + variables.wanted + '`: it has ' + {}", names("object.spec.containers")),
        ),
        (
            "variables.possible.size() == 0".to_owned(),
            format!("'none of its containers looks like an application: {container} names the one that the gate takes its image from'"),
        ),
        (
            "!variables.possible.all(c, has(c.image) && c.image == variables.target.image)".to_owned(),
            format!("'the gate could take its image from any of ' + {} + ': {container} names the one that holds the migrations'", names("variables.possible")),
        ),
    ];
    if settings.secret.is_none() {
        all.push((
            "variables.wanted == '' && variables.elsewhere.size() > 0".to_owned(),
            format!("'the gate could take its URL from any of ' + {} + ': {container} names the one that holds the migrations'", names("variables.possible")),
        ));
    }
    if settings.existing == Existing::Keep {
        // The one that migrates would be it, and only what reads its command can know.
        all.push((
            "variables.wanted == '' && variables.applications.size() > 1 && variables.migrating.exists(c, variables.applications.exists(a, a.name == c.name))".to_owned(),
            format!("'of several containers one runs Prisma: {container} names the one that holds the migrations'"),
        ));
    }
    if settings.delivery != Delivery::Image {
        let volume = text(VOLUME);
        all.push((
            format!("variables.volumes.exists(v, v.name == {volume})"),
            format!("'it has a volume `' + {volume} + '` already: give that one another name'"),
        ));
    }
    all
}

/// Whether the container has what the gate needs.
fn needs(settings: &Settings) -> Vec<Refusal> {
    let of_target = "container `' + variables.target.name + '`";
    let mut all = vec![(
        "!variables.env.all(e, variables.env.exists_one(o, o.name == e.name))".to_owned(),
        format!("'{of_target} has a variable twice: leave one of the two out'"),
    )];
    for extra in &settings.copy_env {
        let extra = text(extra);
        all.push((
            format!("!variables.env.exists(e, e.name == {extra})"),
            format!("'{of_target} has no variable `' + {extra} + '`, which the policy was told to copy (`--copy-env`)'"),
        ));
    }
    for mount in &settings.mounts {
        let mount = text(mount);
        all.push((
            format!("!variables.mounted.exists(m, m.name == {mount})"),
            format!("'{of_target} does not mount a volume `' + {mount} + '`, which the policy was told to mount (`--mount`)'"),
        ));
    }
    if settings.secret.is_none() {
        let keeps =
            if settings.existing == Existing::Keep { "variables.migrating.size() == 0 && " } else { "" };
        let env = text(&settings.env);
        all.push((
            format!("{keeps}!variables.hasUrl && !variables.hasSources"),
            format!("'nothing says where the database is: {of_target} has no variable `' + {env} + '`; {ELSEWHERE}'"),
        ));
    }
    all.push((
        "variables.env.exists(e, '$(' + e.name + ')' in variables.refs2 && !variables.needed.exists(n, n.name == e.name))".to_owned(),
        format!("'the variables of {of_target} refer to each other over more than two steps: write the URL with fewer, or inject into the manifest'"),
    ));
    // A Secret that the gate has for itself is somebody's word that there is another way.
    if settings.secret.is_none() {
        all.extend(proxy::too_late());
    }
    all
}

/// How to say where a database is.
const ELSEWHERE: &str = "`plimsoll inject --emit map` takes another one (`--env NAME`) or a Secret (`--secret NAME/KEY`), \
                         and `plimsoll.dev/container` names another container";
