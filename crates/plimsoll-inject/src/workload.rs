//! Which objects run pods, and where in them the pod's description stands.

use plimsoll_core::{Code, Diagnostic};
use serde_json::Value;

use crate::outcome::At;
use crate::value::{escape, list, text};

/// A kind with a pod template: its API groups, its name, and the JSON pointer of the template.
const KINDS: &[(&[&str], &str, &str)] = &[
    (&["apps", "extensions"], "Deployment", "/spec/template"),
    (&["apps"], "StatefulSet", "/spec/template"),
    (&["apps", "extensions"], "DaemonSet", "/spec/template"),
    (&["apps", "extensions"], "ReplicaSet", "/spec/template"),
    (&[""], "ReplicationController", "/spec/template"),
    (&[""], "Pod", ""),
    (&[""], "PodTemplate", "/template"),
    (&["batch"], "Job", "/spec/template"),
    (&["batch"], "CronJob", "/spec/jobTemplate/spec/template"),
    (&["argoproj.io"], "Rollout", "/spec/template"),
    (&["serving.knative.dev"], "Service", "/spec/template"),
    (&["serving.knative.dev"], "Configuration", "/spec/template"),
];

/// A workload and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) at: At,
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The pointer of the pod template, from the object.
    pub(crate) template: String,
}

impl Workload {
    /// The object itself.
    pub(crate) fn object<'d>(&self, documents: &'d [Value]) -> &'d Value {
        documents[self.at.document].pointer(&self.at.pointer).unwrap_or(&Value::Null)
    }

    /// The object itself, to change it.
    pub(crate) fn object_mut<'d>(&self, documents: &'d mut [Value]) -> Option<&'d mut Value> {
        documents[self.at.document].pointer_mut(&self.at.pointer)
    }

    /// The pointer of the pod's spec, from the object.
    pub(crate) fn pod(&self) -> String {
        format!("{}/spec", self.template)
    }

    /// Kind and name, as in `Deployment/my-backend`.
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Whether its pods end by themselves.
    pub(crate) fn ends_by_itself(&self, object: &Value) -> bool {
        let restart = text(object, &format!("{}/restartPolicy", self.pod()));
        matches!(self.kind.as_str(), "Job" | "CronJob")
            || (self.kind == "Pod" && restart.is_some_and(|r| r != "Always"))
    }

    /// A diagnostic about this workload.
    pub(crate) fn trouble(&self, code: Code, message: &str) -> Diagnostic {
        Diagnostic::new(code, format!("`{}`: {message}", self.title()))
    }
}

/// The place of the pod template in a kind that is not known here: `KIND=spec.template`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplatePath {
    kind: String,
    pointer: String,
}

impl TemplatePath {
    /// Reads `KIND=spec.template`.
    pub(crate) fn parse(given: &str) -> Result<Self, Diagnostic> {
        let wrong = || {
            Diagnostic::new(
                Code::InjectOption,
                format!("`{given}` is not a kind and the path of its pod template"),
            )
            .help("write it as in `--template-path CloneSet=spec.template`")
        };
        let (kind, path) = given.split_once('=').ok_or_else(wrong)?;
        let path = path.trim_matches('.');
        if kind.is_empty() || path.is_empty() {
            return Err(wrong());
        }
        let segments: Vec<String> = path.split('.').map(escape).collect();
        Ok(Self { kind: kind.to_owned(), pointer: format!("/{}", segments.join("/")) })
    }
}

/// The workloads of all documents, in their order; the items of a `List` are looked into.
pub(crate) fn find(documents: &[Value], more: &[TemplatePath]) -> Vec<Workload> {
    let mut found = Vec::new();
    for (document, value) in documents.iter().enumerate() {
        look(value, &At { document, pointer: String::new() }, more, &mut found);
    }
    found
}

fn look(value: &Value, at: &At, more: &[TemplatePath], found: &mut Vec<Workload>) {
    let kind = text(value, "/kind").unwrap_or_default();
    let version = text(value, "/apiVersion").unwrap_or_default();
    if kind.ends_with("List") {
        for (index, item) in list(value, "/items").iter().enumerate() {
            let pointer = format!("{}/items/{index}", at.pointer);
            look(item, &At { document: at.document, pointer }, more, found);
        }
    } else if let Some(template) = template(version, kind, more) {
        let name = text(value, "/metadata/name").or_else(|| text(value, "/metadata/generateName"));
        found.push(Workload {
            at: at.clone(),
            group: group(version).to_owned(),
            kind: kind.to_owned(),
            name: name.unwrap_or_default().to_owned(),
            template,
        });
    }
}

fn template(version: &str, kind: &str, more: &[TemplatePath]) -> Option<String> {
    let own = more.iter().find(|path| path.kind == kind).map(|path| path.pointer.clone());
    own.or_else(|| {
        let known = KINDS.iter().find(|(groups, name, _)| *name == kind && groups.contains(&group(version)));
        known.map(|(_, _, pointer)| (*pointer).to_owned())
    })
}

fn group(version: &str) -> &str {
    version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_is_found_where_its_template_is() {
        for (groups, kind, template) in KINDS {
            let version = if groups[0].is_empty() { "v1".to_owned() } else { format!("{}/v1", groups[0]) };
            let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}});
            let found = find(&[object], &[]);
            assert_eq!((found.len(), found[0].template.as_str()), (1, *template), "{kind}");
            assert_eq!(found[0].title(), format!("{kind}/a"));
        }
    }

    #[test]
    fn a_service_that_is_not_knatives_is_no_workload() {
        assert!(find(&[json!({"apiVersion": "v1", "kind": "Service"})], &[]).is_empty());
    }

    #[test]
    fn lists_are_looked_into_at_any_depth() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}});
        let list =
            json!({"apiVersion": "v1", "kind": "List", "items": [{}, {"kind": "PodList", "items": [pod]}]});
        let found = find(&[Value::Null, list], &[]);
        assert_eq!(found[0].at, At { document: 1, pointer: "/items/1/items/0".to_owned() });
    }

    #[test]
    fn a_kind_of_somebody_else_is_named_with_its_path() {
        let object =
            json!({"apiVersion": "apps.kruise.io/v1", "kind": "CloneSet", "metadata": {"name": "a"}});
        let path = TemplatePath::parse("CloneSet=spec.template").unwrap();
        assert_eq!(find(&[object], &[path])[0].pod(), "/spec/template/spec");
        assert!(TemplatePath::parse("CloneSet").is_err());
        assert!(TemplatePath::parse("CloneSet=").is_err());
    }
}
