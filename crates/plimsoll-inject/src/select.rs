//! Which workloads are gated, and which container of a workload is the application's.

use plimsoll_core::{Code, Diagnostic};
use serde_json::Value;

use crate::detect::{Role, Scripts, role};
use crate::gate::url_variable;
use crate::options::Given;
use crate::settings::{Consent, Settings};
use crate::value::{join, list, name, named, names, text};
use crate::workload::Workload;

/// What a workload's pod does about migrations today.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    /// Each init container with its role.
    pub(crate) init: Vec<(String, Role)>,
    /// Each other container with its role.
    pub(crate) containers: Vec<(String, Role)>,
    /// The containers, sidecars apart, that have a URL, each with the variable that says it.
    pub(crate) with_url: Vec<(String, String)>,
}

impl Survey {
    /// Looks at the spec of a pod.
    pub(crate) fn of(pod: &Value, env: &str, scripts: &Scripts) -> Self {
        let roles = |pointer| {
            let containers = list(pod, pointer).iter();
            containers.map(|container| (name(container).to_owned(), role(container, scripts))).collect()
        };
        let applications = list(pod, "/containers").iter().filter(|container| !is_sidecar(container));
        let with_url = applications.filter_map(|container| {
            let variable = url_variable(list(container, "/env"), env)?;
            Some((name(container).to_owned(), variable.to_owned()))
        });
        Self {
            init: roles("/initContainers"),
            containers: roles("/containers"),
            with_url: with_url.collect(),
        }
    }

    /// The container that runs Plimsoll, if there is one.
    pub(crate) fn gate(&self) -> Option<&str> {
        let mut all = self.init.iter().chain(&self.containers);
        all.find(|(_, role)| *role == Role::Gate).map(|(name, _)| name.as_str())
    }

    /// Why this workload should be gated, if anything says so.
    pub(crate) fn evidence(&self) -> Option<String> {
        let mut all = self.init.iter().chain(&self.containers);
        let prisma = all.find_map(|(name, role)| match role {
            Role::Migrates(_) | Role::Starts(..) => {
                Some(format!("container `{name}` migrates with Prisma today"))
            }
            Role::Unclear(_) => Some(format!("container `{name}` speaks of `prisma migrate deploy`")),
            Role::Other(command) => Some(format!("container `{name}` runs `{command}`")),
            Role::Gate | Role::Nothing => None,
        });
        prisma.or_else(|| {
            let first = self.with_url.first();
            first.map(|(name, variable)| format!("container `{name}` has the variable `{variable}`"))
        })
    }
}

/// What was decided about a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It is gated: why.
    Gate(String),
    /// Nothing is decided against it, and nothing speaks for it: why it is left alone.
    Leave(String),
    /// Somebody said no.
    Refuse(String),
}

/// One workload with what is known about it.
pub(crate) struct Candidate {
    pub(crate) workload: Workload,
    /// The object without what an earlier run did.
    pub(crate) object: Value,
    pub(crate) settings: Settings,
    pub(crate) survey: Survey,
}

/// Decides about all workloads of an input, in their order.
pub(crate) fn choose(candidates: &[Candidate], flags: &Given) -> Result<Vec<Choice>, Diagnostic> {
    check_targets(flags.many("target"), candidates.iter().map(|candidate| &candidate.workload))?;
    let mut choices: Vec<Choice> = candidates.iter().map(|candidate| choose_one(candidate, flags)).collect();
    let has_gate = |candidate: &Candidate| candidate.survey.gate().is_some();
    let is_chosen = choices.iter().any(|choice| matches!(choice, Choice::Gate(_)));
    if is_chosen
        || candidates.iter().any(has_gate)
        || choices.iter().all(|choice| matches!(choice, Choice::Refuse(_)))
    {
        return Ok(choices);
    }
    let open: Vec<usize> =
        (0..choices.len()).filter(|index| matches!(choices[*index], Choice::Leave(_))).collect();
    match open.as_slice() {
        [only] if flags.one("secret").is_some() => {
            choices[*only] =
                Choice::Gate("it is the only workload, and `--secret` says where the database is".to_owned());
            Ok(choices)
        }
        _ => Err(nothing(candidates)),
    }
}

fn choose_one(candidate: &Candidate, flags: &Given) -> Choice {
    let Candidate { workload, object, settings, survey } = candidate;
    match settings.consent {
        Consent::Yes => return Choice::Gate("`plimsoll.dev/inject` says so".to_owned()),
        Consent::No => return Choice::Refuse("`plimsoll.dev/inject` says no".to_owned()),
        Consent::Unsaid => {}
    }
    let targets = flags.many("target");
    if !targets.is_empty() {
        return match targets.iter().find(|target| is_named(workload, target)) {
            Some(target) => Choice::Gate(format!("`--target {target}` names it")),
            None => Choice::Leave(NOT_NAMED.to_owned()),
        };
    }
    if object.pointer("/metadata/annotations/helm.sh~1hook").is_some() {
        let why = "it is a hook of Helm's; the label `plimsoll.dev/inject: \"true\"` would gate it";
        return Choice::Refuse(why.to_owned());
    }
    if survey.containers.is_empty() {
        return Choice::Refuse("it has no containers, like a patch of kustomize's".to_owned());
    }
    if flags.is_on("all") {
        return Choice::Gate("`--all` was given".to_owned());
    }
    match survey.evidence() {
        Some(evidence) => Choice::Gate(evidence),
        None => Choice::Leave(format!(
            "no container runs Prisma's migrate or has the variable `{}`",
            settings.env
        )),
    }
}

/// Why a workload is left alone if others were named.
pub(crate) const NOT_NAMED: &str = "`--target` does not name it";

/// Checks that every target names a workload.
pub(crate) fn check_targets<'w>(
    targets: &[String],
    workloads: impl Iterator<Item = &'w Workload> + Clone,
) -> Result<(), Diagnostic> {
    let lost = targets.iter().find(|target| !workloads.clone().any(|workload| is_named(workload, target)));
    lost.map_or(Ok(()), |target| Err(no_such_target(target, workloads)))
}

/// `NAME` or `KIND/NAME`, the kind in any case.
pub(crate) fn is_named(workload: &Workload, target: &str) -> bool {
    match target.split_once('/') {
        Some((kind, name)) => workload.kind.eq_ignore_ascii_case(kind) && workload.name == name,
        None => workload.name == target,
    }
}

fn titles<'w>(workloads: impl Iterator<Item = &'w Workload>) -> String {
    let titles: Vec<String> = workloads.map(Workload::title).collect();
    join(titles.iter().map(String::as_str))
}

fn no_such_target<'w>(target: &str, workloads: impl Iterator<Item = &'w Workload>) -> Diagnostic {
    let trouble =
        Diagnostic::new(Code::InjectNothing, format!("`--target {target}` names no workload of the input"));
    match titles(workloads) {
        none if none.is_empty() => trouble.help("the input has no workload at all"),
        titles => trouble.help(format!("it has {titles}")),
    }
}

fn nothing(candidates: &[Candidate]) -> Diagnostic {
    Diagnostic::new(
        Code::InjectNothing,
        format!(
            "nothing says which workload needs a gate: {}",
            titles(candidates.iter().map(|candidate| &candidate.workload))
        ),
    )
    .help("name it: `--target NAME`, or the label `plimsoll.dev/inject: \"true\"` on the workload")
    .help("say where its database is, if no container says so: `--secret NAME/KEY`, or `--env NAME`")
}

/// The container that the gate takes its image from.
pub(crate) fn application<'p>(candidate: &Candidate, pod: &'p Value) -> Result<&'p Value, Diagnostic> {
    let containers = list(pod, "/containers");
    if let Some(wanted) = &candidate.settings.container {
        return named(containers, wanted).ok_or_else(|| {
            let message = format!("it has no container `{wanted}`");
            candidate
                .workload
                .trouble(Code::InjectUnclear, &message)
                .help(format!("it has {}", names(containers)))
        });
    }
    let migrates = |container: &&Value| {
        let role = candidate.survey.containers.iter().find(|(other, _)| other == name(container));
        role.is_some_and(|(_, role)| matches!(role, Role::Starts(..) | Role::Migrates(_)))
    };
    let has_url =
        |container: &&Value| candidate.survey.with_url.iter().any(|(other, _)| other == name(container));
    let usual = text(
        candidate.object.pointer(&candidate.workload.template).unwrap_or(&Value::Null),
        DEFAULT_CONTAINER,
    );
    let applications: Vec<&Value> = containers.iter().filter(|container| !is_sidecar(container)).collect();
    let of =
        |wanted: &dyn Fn(&&Value) -> bool| applications.iter().copied().filter(wanted).collect::<Vec<_>>();
    let groups =
        [of(&migrates), of(&has_url), of(&|container| usual == Some(name(container))), applications.clone()];
    let group = groups.into_iter().find(|group| !group.is_empty()).unwrap_or_default();
    match group.as_slice() {
        [] => Err(candidate
            .workload
            .trouble(Code::InjectUnclear, "none of its containers looks like an application's")
            .help("name the one that the gate takes its image from: `--container NAME`")),
        [first, others @ ..] if others.iter().all(|other| other.get("image") == first.get("image")) => {
            Ok(first)
        }
        several => Err(candidate
            .workload
            .trouble(
                Code::InjectUnclear,
                &format!("the gate could take its image from any of {}", list_of(several)),
            )
            .help("name the container that holds the migrations: `--container NAME`")),
    }
}

/// What `kubectl logs` takes if nobody names a container.
const DEFAULT_CONTAINER: &str = "/metadata/annotations/kubectl.kubernetes.io~1default-container";

fn list_of(containers: &[&Value]) -> String {
    join(containers.iter().map(|container| name(container)))
}

/// Containers that stand beside applications, by their usual names and images.
pub(crate) const SIDECARS: [&str; 16] = [
    "istio-proxy",
    "linkerd-proxy",
    "envoy",
    "cloud-sql-proxy",
    "cloudsql-proxy",
    "cloudsql",
    "alloydb-auth-proxy",
    "vault-agent",
    "pgbouncer",
    "fluent-bit",
    "fluentd",
    "filebeat",
    "otel-collector",
    "opentelemetry-collector",
    "promtail",
    "daprd",
];

/// Whether a container is a known sidecar.
pub(crate) fn is_sidecar(container: &Value) -> bool {
    let image = text(container, "/image").unwrap_or_default();
    let image = image.rsplit('/').next().unwrap_or_default().split([':', '@']).next().unwrap_or_default();
    SIDECARS.iter().any(|sidecar| *sidecar == name(container) || *sidecar == image)
}
