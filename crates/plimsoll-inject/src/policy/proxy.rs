//! Where the gate's URL leads, as `gate::proxy` finds it out: whatever stands among the containers starts only after the gate.

use super::cel::{is_one_of, keeps_running, names, text, texts};
use super::problem::Refusal;
use super::target::{Variable, is_url};
use crate::facts::{DATABASE_PROXIES, LOCAL, URL};
use crate::settings::Settings;

/// The hosts of the URLs that the gate may use, and whether one of them leads out of the pod or into it.
pub(super) fn way(settings: &Settings) -> Vec<Variable> {
    let ours = format!("e.name == {}", text(URL));
    let all = is_url("e", settings);
    let is_local = format!("(h == '' || {}.exists(l, h.startsWith(l)))", texts(LOCAL));
    vec![
        (
            "urls",
            format!(
                "variables.env.filter(e, has(e.value) && (variables.env.exists(e, {ours}) ? {ours} : ({all}))).map(e, {})",
                expanded("e.value")
            ),
        ),
        (
            "hosts",
            format!(
                "variables.urls.filter(u, !u.startsWith('file:') && u.contains('://')).map(u, {}).filter(h, !h.contains('$('))",
                host("u")
            ),
        ),
        (
            "leadsOut",
            format!(
                "variables.urls.exists(u, u.startsWith('file:')) || variables.hosts.exists(h, !{is_local})"
            ),
        ),
        // A host that does not lead out leads in.
        ("leadsIn", "!variables.leadsOut && variables.hosts.size() > 0".to_owned()),
        ("beside", "object.spec.containers.filter(c, c.name != variables.target.name)".to_owned()),
    ]
}

/// The gate would wait for what starts only after it.
pub(super) fn too_late() -> Vec<Refusal> {
    let way = format!(
        "((has(object.spec.hostNetwork) && object.spec.hostNetwork) || variables.init.exists(c, {}))",
        keeps_running("c")
    );
    let proxies = format!("variables.beside.filter(c, {})", is_one_of("c", DATABASE_PROXIES));
    let sentence = |where_to: &str, late: &str| {
        format!(
            "'{where_to}, and a gate is an init container: it ends before ' + {} + ' starts: make the proxy a native sidecar \
             (an init container with `restartPolicy: Always`), or migrate where the application starts (`plimsoll exec -- CMD`), \
             or give the gate a URL of its own: `plimsoll inject --emit map --secret NAME/KEY`'",
            names(late)
        )
    };
    vec![
        (
            format!("variables.leadsIn && !{way} && variables.beside.size() > 0"),
            sentence("its URL leads into the pod itself", "variables.beside"),
        ),
        (
            format!("!variables.leadsOut && !variables.leadsIn && {proxies}.size() > 0"),
            sentence("its database may be behind a proxy", &proxies),
        ),
    ]
}

/// A value with the texts of the entries that it refers to; what no entry shows stays a reference, and so does `$$(NAME)`.
///
/// Every piece but the first begins with a name; the first is given the `$(` too, which goes again in the end.
fn expanded(value: &str) -> String {
    let is_of = "has(o.value) && p.startsWith(o.name + ')')";
    format!(
        "{value}.replace('$$(', '$$ (').split('$(').map(p, variables.env.exists(o, {is_of}) ? \
         variables.env.filter(o, {is_of})[0].value + p.substring(p.indexOf(')') + 1) : '$(' + p)\
         .join('').substring(2).replace('$$ (', '$$(')"
    )
}

/// The host of a URL: that of its parameter `host`, which may be a socket, or the one before the path.
fn host(url: &str) -> String {
    let parameter = format!("{url}.find('[?].*$').replace('?', '&', 1).find('&host=[^&]*')");
    format!(
        "{parameter} != '' ? {parameter}.substring(6) : {url}.substring({url}.indexOf('://') + 3).find('^[^/?]*').find('[^@]*$')"
    )
}
