//! The expressions of the policies, in the language CEL.

use serde_json::Value;

use crate::gate::{DIRECTORY, OURS, VOLUME, arguments};
use crate::select::SIDECARS;
use crate::settings::{Delivery, Position, Security, Settings, User};

/// Variables beside the URL that a migration needs if they are there.
const BESIDE: [&str; 2] = ["DIRECT_URL", "DIRECT_DATABASE_URL"];

/// A text of CEL's. Its escapes are those of JSON.
fn text(value: &str) -> String {
    Value::from(value).to_string()
}

fn texts<'t>(values: impl IntoIterator<Item = &'t str>) -> String {
    format!("[{}]", values.into_iter().map(text).collect::<Vec<_>>().join(", "))
}

/// Whether a pod has a gate: a container of this name, or another one that runs Plimsoll.
pub(super) fn has_gate(name: &str) -> String {
    let name = text(name);
    format!(
        "has(object.spec.initContainers) && object.spec.initContainers.exists(c, c.name == {name} || \
         (has(c.command) && c.command.size() > 1 && c.command[0].matches('(^|/)plimsoll$') && c.command[1] in ['deploy', 'wait']))"
    )
}

/// What is found out about the pod, in the order in which one needs the other.
pub(super) fn variables(settings: &Settings) -> Vec<(&'static str, String)> {
    let url = text(&settings.env);
    let wanted = settings.container.as_deref().map_or_else(
        || "has(object.metadata.labels) && 'plimsoll.dev/container' in object.metadata.labels ? object.metadata.labels['plimsoll.dev/container'] : ''".to_owned(),
        text,
    );
    let sidecars = texts(SIDECARS);
    vec![
        ("init", "has(object.spec.initContainers) ? object.spec.initContainers : []".to_owned()),
        ("wanted", wanted),
        (
            "applications",
            format!(
                "object.spec.containers.filter(c, variables.wanted == '' ? !(c.name in {sidecars}) : c.name == variables.wanted)"
            ),
        ),
        (
            "withUrl",
            format!("variables.applications.filter(c, has(c.env) && c.env.exists(e, e.name == {url}))"),
        ),
        (
            "target",
            "variables.withUrl.size() > 0 ? variables.withUrl[0] : variables.applications[0]".to_owned(),
        ),
        (
            "from",
            "'/spec/containers/' + string(object.spec.containers.map(c, c.name).indexOf(variables.target.name))".to_owned(),
        ),
        ("at", format!("'/spec/initContainers/' + string({})", position(&settings.position))),
        ("env", "has(variables.target.env) ? variables.target.env : []".to_owned()),
        ("taken", format!("variables.env.filter(e, {})", taken(settings))),
        ("mounts", mounts(settings)),
        ("user", user(settings)),
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

/// Which entries of the application's environment come along. If the URL refers to others, all do.
fn taken(settings: &Settings) -> String {
    let mut names: Vec<&str> = settings.copy_env.iter().map(String::as_str).collect();
    let url = text(&settings.env);
    // A URL of the application's must not win over the one of the Secret.
    let ours = match settings.secret {
        Some(_) => "e.name.startsWith('PLIMSOLL_') && !e.name.startsWith('PLIMSOLL_URL')",
        None => "e.name.startsWith('PLIMSOLL_')",
    };
    if settings.secret.is_none() {
        names.extend(BESIDE);
        names.push(&settings.env);
    }
    let refers =
        format!("variables.env.exists(u, u.name == {url} && has(u.value) && u.value.contains('$('))");
    let all = if settings.secret.is_none() { refers } else { "false".to_owned() };
    // What the gate always has from us is not taken twice.
    format!(
        "!(e.name in ['PLIMSOLL_POD', 'PLIMSOLL_NAMESPACE', 'PLIMSOLL_RELEASE']) && \
         (e.name in {} || ({ours}) || {all})",
        texts(names)
    )
}

/// The volumes that hold configuration, without the token of the service account, which a migration does not need.
fn mounts(settings: &Settings) -> String {
    let named = texts(settings.mounts.iter().map(String::as_str));
    format!(
        "has(variables.target.volumeMounts) && has(object.spec.volumes) ? variables.target.volumeMounts.filter(m, \
         m.name in {named} || (!m.mountPath.startsWith('/var/run/secrets/kubernetes.io/') && object.spec.volumes.exists(v, v.name == m.name && \
         (has(v.secret) || has(v.configMap) || has(v.projected) || has(v.downwardAPI) || has(v.csi) || has(v.image))))) : []"
    )
}

fn user(settings: &Settings) -> String {
    match settings.user {
        User::Id(id) => id.to_string(),
        _ => "has(variables.target.securityContext) && has(variables.target.securityContext.runAsUser) && \
              variables.target.securityContext.runAsUser > 0 ? variables.target.securityContext.runAsUser : \
              (has(object.spec.securityContext) && has(object.spec.securityContext.runAsUser) && \
              object.spec.securityContext.runAsUser > 0 ? object.spec.securityContext.runAsUser : 65532)"
            .to_owned(),
    }
}

fn guaranteed() -> String {
    let fixed = |kind: &str| {
        format!(
            "'{kind}' in c.resources.limits && (!has(c.resources.requests) || !('{kind}' in c.resources.requests) || \
             c.resources.requests['{kind}'] == c.resources.limits['{kind}'])"
        )
    };
    format!(
        "(object.spec.containers + variables.init).all(c, has(c.resources) && has(c.resources.limits) && {} && {})",
        fixed("cpu"),
        fixed("memory")
    )
}

/// The patch: the gate first, then what the application has, copied into it.
pub(super) fn patch(settings: &Settings) -> String {
    let mut parts = vec![
        "(has(object.spec.initContainers) ? [] : [JSONPatch{op: 'add', path: '/spec/initContainers', value: []}])".to_owned(),
        format!("[JSONPatch{{op: 'add', path: variables.at, value: {}}}]", gate(settings)),
    ];
    for field in ["imagePullPolicy", "workingDir"] {
        parts.push(format!("(has(variables.target.{field}) ? [{}] : [])", copy(field)));
    }
    if settings.secret.is_none() {
        let url = text(&settings.env);
        let missing = format!("!variables.env.exists(e, e.name == {url})");
        parts.push(format!("(has(variables.target.envFrom) && {missing} ? [{}] : [])", copy("envFrom")));
    }
    parts.push(copies("taken", "env", "variables.env.map(o, o.name).indexOf(x.name)"));
    parts.push(copies(
        "mounts",
        "volumeMounts",
        "variables.target.volumeMounts.map(o, o.mountPath).indexOf(x.mountPath)",
    ));
    parts.extend(security(settings));
    parts.extend(volume(settings));
    parts.join(" +\n")
}

fn copy(field: &str) -> String {
    format!("JSONPatch{{op: 'copy', from: variables.from + '/{field}', path: variables.at + '/{field}'}}")
}

/// Copies items of a list to the beginning of the gate's, the last one first, so that their order stays.
fn copies(items: &str, field: &str, index: &str) -> String {
    format!(
        "variables.{items}.map(x, JSONPatch{{op: 'copy', from: variables.from + '/{field}/' + string({index}), path: variables.at + '/{field}/-'}})"
    )
}

fn gate(settings: &Settings) -> String {
    const OF: &str = "Object.spec.initContainers";
    let program = match settings.delivery {
        Delivery::Image => settings.binary.clone(),
        Delivery::Volume | Delivery::Copy => format!("{DIRECTORY}/plimsoll"),
    };
    let (verb, args) = arguments(settings, None);
    let field = |name: &str, path: &str| {
        format!(
            "{OF}.env{{name: '{name}', valueFrom: {OF}.env.valueFrom{{fieldRef: {OF}.env.valueFrom.fieldRef{{fieldPath: '{path}'}}}}}}"
        )
    };
    let urls =
        settings.secret.iter().flat_map(|secret| [settings.env.as_str(), OURS].map(|name| (name, secret)));
    let mut env: Vec<String> = urls.map(|(name, secret)| secret_entry(OF, name, secret)).collect();
    env.push(field("PLIMSOLL_POD", "metadata.name"));
    env.push(field("PLIMSOLL_NAMESPACE", "metadata.namespace"));
    env.push(format!("{OF}.env{{name: 'PLIMSOLL_RELEASE', value: variables.target.image}}"));
    let mount = match settings.delivery {
        Delivery::Image => String::new(),
        _ => format!("{OF}.volumeMounts{{name: '{VOLUME}', mountPath: '{DIRECTORY}', readOnly: true}}"),
    };
    let amount = |guaranteed: &str, other: &str| format!("variables.guaranteed ? '{guaranteed}' : '{other}'");
    format!(
        "{OF}{{\n  name: {},\n  image: variables.target.image,\n  command: {},\n  args: {},\n  env: [{}],\n  volumeMounts: [{mount}],\n  \
         terminationMessagePolicy: 'FallbackToLogsOnError',\n  resources: {OF}.resources{{\n    \
         requests: {{'cpu': {}, 'memory': {}}},\n    limits: {{'cpu': {}, 'memory': '128Mi'}}\n  }}\n}}",
        text(&settings.name),
        texts([program.as_str(), verb]),
        texts(args.iter().map(String::as_str)),
        env.join(", "),
        amount("100m", "10m"),
        amount("128Mi", "32Mi"),
        amount("100m", "500m"),
    )
}

fn secret_entry(of: &str, name: &str, secret: &crate::settings::SecretKey) -> String {
    let reference = format!(
        "{of}.env.valueFrom.secretKeyRef{{name: {}, key: {}}}",
        text(&secret.name),
        text(&secret.key)
    );
    format!("{of}.env{{name: {}, valueFrom: {of}.env.valueFrom{{secretKeyRef: {reference}}}}}", text(name))
}

fn security(settings: &Settings) -> Option<String> {
    const OF: &str = "Object.spec.initContainers.securityContext";
    let user = if settings.user == User::Image { "" } else { "runAsUser: variables.user, " };
    match settings.security {
        Security::None => None,
        Security::Container => {
            Some(format!("(has(variables.target.securityContext) ? [{}] : [])", copy("securityContext")))
        }
        Security::Restricted => Some(format!(
            "[JSONPatch{{op: 'add', path: variables.at + '/securityContext', value: {OF}{{\n  runAsNonRoot: true, {user}\
             allowPrivilegeEscalation: false, readOnlyRootFilesystem: true,\n  capabilities: {OF}.capabilities{{drop: ['ALL']}},\n  \
             seccompProfile: {OF}.seccompProfile{{type: 'RuntimeDefault'}}\n}}}}]"
        )),
    }
}

fn volume(settings: &Settings) -> Option<String> {
    const OF: &str = "Object.spec.volumes";
    let image = text(settings.plimsoll_image.as_deref().filter(|_| settings.delivery != Delivery::Image)?);
    Some(format!(
        "(has(object.spec.volumes) ? [] : [JSONPatch{{op: 'add', path: '/spec/volumes', value: []}}]) +\n\
         [JSONPatch{{op: 'add', path: '/spec/volumes/-', value: {OF}{{name: '{VOLUME}', image: {OF}.image{{reference: {image}}}}}}}]"
    ))
}
