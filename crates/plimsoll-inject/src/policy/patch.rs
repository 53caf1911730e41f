//! The patch that puts the gate in.
//!
//! What the application has is copied by the patch itself, so that no field has to be known here and none is lost.

use super::cel::{text, texts};
use crate::facts::{
    Amount, DIRECTORY, GUARANTEED, IDENTITY, LIMITS, RELEASE, REQUESTS, URL, VERSION, VOLUME,
};
use crate::gate::arguments;
use crate::settings::{Delivery, SecretKey, Security, Settings, User};

/// The type of an init container in the schema of a pod.
const OF: &str = "Object.spec.initContainers";

/// The list of patches: the container first, then field by field what it has.
pub(super) fn patch(settings: &Settings) -> String {
    let parts = start(settings)
        .into_iter()
        .chain(environment(settings))
        .chain(mounts(settings))
        .chain(resources())
        .chain(security(settings))
        .chain(volume(settings));
    let parts: Vec<String> = parts.collect();
    format!("variables.gated || variables.problem != '' ? [] : (\n{})", parts.join(" +\n"))
}

fn add(path: &str, value: &str) -> String {
    format!("JSONPatch{{op: 'add', path: {path}, value: {value}}}")
}

fn of_gate(field: &str) -> String {
    format!("variables.at + '/{field}'")
}

fn when(condition: &str, patch: &str) -> String {
    format!("({condition} ? [{patch}] : [])")
}

fn copy(field: &str) -> String {
    format!("JSONPatch{{op: 'copy', from: variables.from + '/{field}', path: {}}}", of_gate(field))
}

fn start(settings: &Settings) -> Vec<String> {
    let program = match settings.delivery {
        Delivery::Image => settings.binary.clone(),
        Delivery::Volume | Delivery::Copy => format!("{DIRECTORY}/plimsoll"),
    };
    let (verb, args) = arguments(settings, None);
    let gate = format!(
        "{OF}{{\n  name: {}, image: variables.target.image, command: {}, args: {}, env: [], volumeMounts: [],\n  \
         terminationMessagePolicy: 'FallbackToLogsOnError'\n}}",
        text(&settings.name),
        texts([program.as_str(), verb]),
        texts(args.iter().map(String::as_str)),
    );
    let mut parts = vec![
        when("!has(object.spec.initContainers)", &add("'/spec/initContainers'", "[]")),
        format!("[{}]", add("variables.at", &gate)),
    ];
    parts.extend(
        ["imagePullPolicy", "workingDir"]
            .map(|field| when(&format!("has(variables.target.{field})"), &copy(field))),
    );
    parts
}

fn environment(settings: &Settings) -> Vec<String> {
    let end = of_gate("env/-");
    let mut parts = vec![when("variables.sources", &copy("envFrom"))];
    if let Some(secret) = &settings.secret {
        parts.push(format!("[{}]", add(&end, &secret_entry(&settings.env, secret))));
        // It wins over every URL that the project or its image may have.
        if settings.env != URL {
            parts.push(format!("[{}]", add(&end, &secret_entry(URL, secret))));
        }
    }
    parts.push(format!(
        "variables.taken.map(e, JSONPatch{{op: 'copy', from: variables.from + '/env/' + string(variables.env.map(o, o.name).indexOf(e.name)), path: {end}}})"
    ));
    parts.extend(IDENTITY.map(|(name, path)| format!("[{}]", add(&end, &field_entry(name, path)))));
    parts.push(when(
        "variables.release",
        &add(&end, &field_entry(RELEASE, &format!("metadata.labels['{VERSION}']"))),
    ));
    parts
}

fn field_entry(name: &str, path: &str) -> String {
    let reference = format!("{OF}.env.valueFrom.fieldRef{{fieldPath: {}}}", text(path));
    format!("{OF}.env{{name: {}, valueFrom: {OF}.env.valueFrom{{fieldRef: {reference}}}}}", text(name))
}

fn secret_entry(name: &str, secret: &SecretKey) -> String {
    let reference = format!(
        "{OF}.env.valueFrom.secretKeyRef{{name: {}, key: {}}}",
        text(&secret.name),
        text(&secret.key)
    );
    format!("{OF}.env{{name: {}, valueFrom: {OF}.env.valueFrom{{secretKeyRef: {reference}}}}}", text(name))
}

/// A mount is known by its path, as no container mounts two volumes at one.
fn mounts(settings: &Settings) -> Vec<String> {
    let end = of_gate("volumeMounts/-");
    let mut parts = vec![
        format!(
            "variables.mounts.map(p, JSONPatch{{op: 'copy', from: variables.from + '/volumeMounts/' + \
             string(variables.mounted.map(m, m.mountPath).indexOf(p)), path: {end}}})"
        ),
        format!(
            "variables.mounts.filter(p, p in variables.readOnly).map(p, {})",
            add(
                "variables.at + '/volumeMounts/' + string(variables.mounts.indexOf(p)) + '/readOnly'",
                "true"
            )
        ),
    ];
    if settings.delivery != Delivery::Image {
        let mount =
            format!("{OF}.volumeMounts{{name: '{VOLUME}', mountPath: '{DIRECTORY}', readOnly: true}}");
        parts.push(format!("[{}]", add(&end, &mount)));
    }
    parts
}

fn resources() -> Vec<String> {
    let amounts = |requests: Amount, limits: Amount| {
        let amount = |(cpu, memory): Amount| format!("{{'cpu': '{cpu}', 'memory': '{memory}'}}");
        let value = format!("{OF}.resources{{requests: {}, limits: {}}}", amount(requests), amount(limits));
        add(&of_gate("resources"), &value)
    };
    vec![format!(
        "(has(object.spec.resources) ? [] : variables.guaranteed ? [{}] : [{}])",
        amounts(GUARANTEED, GUARANTEED),
        amounts(REQUESTS, LIMITS)
    )]
}

fn security(settings: &Settings) -> Vec<String> {
    match settings.security {
        Security::None => Vec::new(),
        Security::Container => vec![when("has(variables.target.securityContext)", &copy("securityContext"))],
        Security::Restricted => restricted(settings),
    }
}

/// As `gate::security` makes it: a profile of the pod that is allowed as well would be loosened by ours.
fn restricted(settings: &Settings) -> Vec<String> {
    let of = format!("{OF}.securityContext");
    let context = format!(
        "{of}{{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, \
         capabilities: {of}.capabilities{{drop: ['ALL']}}}}"
    );
    let profile = "has(object.spec.securityContext) && has(object.spec.securityContext.seccompProfile) && \
                   object.spec.securityContext.seccompProfile.type in ['RuntimeDefault', 'Localhost']";
    let mut parts = vec![format!("[{}]", add(&of_gate("securityContext"), &context))];
    parts.extend(users(settings));
    parts.extend([
        when(
            "has(variables.target.securityContext) && has(variables.target.securityContext.runAsGroup) && variables.target.securityContext.runAsGroup != 0",
            &add(&of_gate("securityContext/runAsGroup"), "variables.target.securityContext.runAsGroup"),
        ),
        when(
            &format!("!({profile})"),
            &add(
                &of_gate("securityContext/seccompProfile"),
                &format!("{of}.seccompProfile{{type: 'RuntimeDefault'}}"),
            ),
        ),
    ]);
    parts
}

/// Another user than root, or what the container says of its own where both write the same file.
fn users(settings: &Settings) -> Vec<String> {
    let own = |field: &str| {
        let has = "has(variables.target.securityContext) && has(variables.target.securityContext";
        when(
            &format!("variables.asApplication && {has}.{field})"),
            &copy(&format!("securityContext/{field}")),
        )
    };
    let other = |field: &str, value: &str| {
        when("!variables.asApplication", &add(&of_gate(&format!("securityContext/{field}")), value))
    };
    let mut parts = vec![own("runAsNonRoot"), own("runAsUser"), other("runAsNonRoot", "true")];
    if settings.user != User::Image {
        parts.push(other("runAsUser", "variables.user"));
    }
    parts
}

fn volume(settings: &Settings) -> Vec<String> {
    const OF: &str = "Object.spec.volumes";
    let image = settings.plimsoll_image.as_deref().filter(|_| settings.delivery != Delivery::Image);
    let Some(image) = image else { return Vec::new() };
    vec![
        when("!has(object.spec.volumes)", &add("'/spec/volumes'", "[]")),
        format!(
            "[{}]",
            add(
                "'/spec/volumes/-'",
                &format!("{OF}{{name: '{VOLUME}', image: {OF}.image{{reference: {}}}}}", text(image))
            )
        ),
    ]
}
