//! What is found out about a pod: the container that the gate is made from, its variables and its mounts.

use super::cel::{is_sidecar, or, text, texts};
use super::gated::migrates;
use crate::facts::{
    BESIDE, CONFIGURATION, DEFAULT_CONTAINER, IDENTITY, NOBODY, PREFIX, RELEASE, TRUST, URL, URL_FILE,
    VERSION,
};
use crate::settings::{Existing, Position, Settings, User};

/// A variable of a policy: its name and its expression. It is evaluated when something first asks for it.
pub(super) type Variable = (&'static str, String);

/// The containers, and which of them is the application's.
pub(super) fn containers(settings: &Settings) -> Vec<Variable> {
    let own = |kind: &str, otherwise: &str| {
        format!(
            "'plimsoll.dev/container' in variables.{kind} ? variables.{kind}['plimsoll.dev/container'].trim() : {otherwise}"
        )
    };
    let wanted = settings.container.as_deref();
    let wanted = wanted.map_or_else(|| own("annotations", &format!("({})", own("labels", "''"))), text);
    let usual = text(DEFAULT_CONTAINER);
    let url = says_where("e", settings);
    vec![
        ("annotations", or("object.metadata.annotations", "{}")),
        ("labels", or("object.metadata.labels", "{}")),
        ("init", or("object.spec.initContainers", "[]")),
        ("all", "variables.init + object.spec.containers".to_owned()),
        ("wanted", wanted),
        ("applications", format!("object.spec.containers.filter(c, !{})", is_sidecar("c"))),
        ("migrating", format!("variables.all.filter(c, {})", migrates("c"))),
        ("withUrl", format!("variables.applications.filter(c, has(c.env) && c.env.exists(e, {url}))")),
        (
            "usual",
            format!(
                "variables.applications.filter(c, {usual} in variables.annotations && c.name == variables.annotations[{usual}])"
            ),
        ),
        (
            "possible",
            "variables.wanted != '' ? object.spec.containers.filter(c, c.name == variables.wanted) : \
             variables.withUrl.size() > 0 ? variables.withUrl : \
             variables.usual.size() > 0 ? variables.usual : variables.applications"
                .to_owned(),
        ),
        ("target", "variables.possible[0]".to_owned()),
    ]
}

/// Whether an entry of an environment says where the database is.
fn says_where(entry: &str, settings: &Settings) -> String {
    format!("{entry}.name in {}", texts([settings.env.as_str(), URL, URL_FILE]))
}

/// The variables of the gate: those that a migration needs by their names, then two times what the values refer to.
pub(super) fn environment(settings: &Settings) -> Vec<Variable> {
    let wanted = wanted(settings);
    let level =
        |refs: &str| format!("variables.env.filter(e, {wanted} || '$(' + e.name + ')' in variables.{refs})");
    let release = text(RELEASE);
    vec![
        ("env", or("variables.target.env", "[]")),
        ("refs0", references(&format!("variables.env.filter(e, {wanted})"))),
        ("refs1", references(&level("refs0"))),
        (
            "needed",
            format!(
                "variables.env.filter(e, {wanted} || '$(' + e.name + ')' in variables.refs0 || '$(' + e.name + ')' in variables.refs1)"
            ),
        ),
        ("refs2", references("variables.needed")),
        ("hasUrl", format!("variables.needed.exists(e, {})", says_where("e", settings))),
        ("hasSources", "has(variables.target.envFrom) && variables.target.envFrom.size() > 0".to_owned()),
        ("sources", sources(settings)),
        ("release", format!("{} in variables.labels", text(VERSION))),
        (
            "taken",
            format!(
                "variables.needed.filter(e, !(e.name in {}) && !(e.name == {release} && variables.release))",
                texts(IDENTITY.map(|(name, _)| name))
            ),
        ),
    ]
}

/// Whether the gate may need variables that no manifest shows: what the URL refers to, or a URL that is none of the entries.
fn sources(settings: &Settings) -> String {
    if settings.secret.is_some() {
        return "false".to_owned();
    }
    let has = |names: &[&str]| format!("variables.env.exists(e, e.name in {})", texts(names.iter().copied()));
    let keeps = if settings.existing == Existing::Keep { "variables.migrating.size() > 0 || " } else { "" };
    format!(
        "variables.hasSources && (variables.refs2.exists(r, !variables.env.exists(e, '$(' + e.name + ')' == r)) || \
         (!{} && ({keeps}!{} || !{})))",
        has(&[URL, URL_FILE]),
        has(&[&settings.env]),
        has(&BESIDE)
    )
}

/// Whether the entry `e` is one that a migration needs by its name.
fn wanted(settings: &Settings) -> String {
    let extra = settings.copy_env.iter().map(String::as_str).chain(TRUST);
    let prefix = text(PREFIX);
    if settings.secret.is_none() {
        let names = extra.chain(BESIDE).chain([settings.env.as_str()]);
        return format!("e.name in {} || e.name.startsWith({prefix})", texts(names));
    }
    format!("(e.name in {} || e.name.startsWith({prefix})) && !({})", texts(extra), is_url("e", settings))
}

/// Whether an entry holds a URL, which must not come along where a Secret gives the gate its own.
pub(super) fn is_url(entry: &str, settings: &Settings) -> String {
    let names = texts(BESIDE.into_iter().chain([settings.env.as_str()]));
    format!("{entry}.name in {names} || {entry}.name.startsWith({})", text(URL))
}

/// Every `$(NAME)` in the values of these entries; `$$` is a dollar sign and no beginning.
pub(super) fn references(entries: &str) -> String {
    format!(
        "({entries}).filter(e, has(e.value)).map(e, e.value.replace('$$', ' ')).join('\\n').findAll({})",
        text("\\$\\([^)\\n]*\\)")
    )
}

/// The mounts of the gate: configuration, which becomes read-only, and as they are those that were named or hold the file of
/// a SQLite database.
pub(super) fn mounts(settings: &Settings) -> Vec<Variable> {
    let named = texts(settings.mounts.iter().map(String::as_str));
    let sources = CONFIGURATION.map(|source| format!("has(v.{source})")).join(" || ");
    let (url, url_file) = (text(&settings.env), text(URL_FILE));
    let value = |name: &str, more: &str| {
        let values =
            format!("variables.env.filter(e, e.name == {name} && has(e.value) && {more}).map(e, e.value)");
        if settings.secret.is_none() { values } else { "[]".to_owned() }
    };
    // A file lies on a mount if the path goes on behind the mount's, whose last `/` does not count.
    let holds = |file: &str| format!("({file} + '/').startsWith(m.mountPath.find('^(.*[^/])?') + '/')");
    vec![
        ("mounted", or("variables.target.volumeMounts", "[]")),
        ("volumes", or("object.spec.volumes", "[]")),
        (
            "databases",
            format!(
                "{}.map(u, u.substring(5).split('?')[0]).map(f, f.substring(f.find('^(//)*').size()))",
                value(&url, "e.value.startsWith('file:')")
            ),
        ),
        ("urlFiles", value(&url_file, "e.value.startsWith('/')")),
        (
            "asTheyAre",
            format!(
                "variables.mounted.filter(m, m.name in {named} || variables.databases.exists(f, !f.startsWith('/') || {})).map(m, m.mountPath)",
                holds("f")
            ),
        ),
        (
            "readOnly",
            format!(
                "variables.mounted.filter(m, !(m.mountPath in variables.asTheyAre) && (variables.urlFiles.exists(f, {}) || \
                 variables.volumes.exists(v, v.name == m.name && ({sources})))).map(m, m.mountPath)",
                holds("f")
            ),
        ),
        // What the API server itself has put in, the token of the account, it puts into the gate by itself.
        (
            "mounts",
            "variables.mounted.filter(m, !m.name.startsWith('kube-api-access-') && \
             (m.mountPath in variables.asTheyAre || m.mountPath in variables.readOnly)).map(m, m.mountPath)"
                .to_owned(),
        ),
    ]
}

/// Where the gate stands, as whom it runs, and whether its pod is `Guaranteed`.
pub(super) fn circumstances(settings: &Settings) -> Vec<Variable> {
    vec![
        ("from", "'/spec/containers/' + string(object.spec.containers.map(c, c.name).indexOf(variables.target.name))".to_owned()),
        ("at", format!("'/spec/initContainers/' + string({})", position(&settings.position))),
        ("id", id()),
        ("user", user(settings)),
        ("asApplication", as_application(settings)),
        ("guaranteed", guaranteed()),
    ]
}

fn position(position: &Position) -> &'static str {
    match position {
        Position::First => "0",
        Position::Last => "variables.init.size()",
        _ => {
            "variables.init.map(c, has(c.restartPolicy) && c.restartPolicy == 'Always').lastIndexOf(true) + 1"
        }
    }
}

/// The user that the pod names for the container, or 0.
fn id() -> String {
    let of = |place: &str| format!("has({place}.securityContext) && has({place}.securityContext.runAsUser)");
    let (own, pods) = ("variables.target", "object.spec");
    format!(
        "{} ? {own}.securityContext.runAsUser : {} ? {pods}.securityContext.runAsUser : 0",
        of(own),
        of(pods)
    )
}

fn user(settings: &Settings) -> String {
    match settings.user {
        User::Id(id) => id.to_string(),
        _ => format!("variables.id == 0 ? {NOBODY} : variables.id"),
    }
}

/// Whether the gate runs as whoever the application is, which has to write the database's file too.
fn as_application(settings: &Settings) -> String {
    match settings.user {
        User::Derived => "variables.databases.size() > 0 && variables.id == 0".to_owned(),
        _ => "false".to_owned(),
    }
}

fn guaranteed() -> String {
    let fixed = |kind: &str| {
        format!(
            "'{kind}' in c.resources.limits && (!has(c.resources.requests) || !('{kind}' in c.resources.requests) || \
             quantity(string(c.resources.requests['{kind}'])).compareTo(quantity(string(c.resources.limits['{kind}']))) == 0)"
        )
    };
    format!(
        "variables.all.all(c, has(c.resources) && has(c.resources.limits) && {} && {})",
        fixed("cpu"),
        fixed("memory")
    )
}
