//! Which workloads are gated, and which container of a workload is the application's.

use plimsoll_core::{Code, Diagnostic};
use serde_json::Value;

use crate::detect::Role;
use crate::facts::{DEFAULT_CONTAINER, sidecars};
use crate::options::Given;
use crate::settings::{Consent, Settings};
use crate::source::Source;
use crate::survey::Survey;
use crate::target::{NOT_NAMED, check_targets, is_named, titles};
use crate::value::{escape, join, list, name, named, names, text};
use crate::workload::Workload;

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
    if flags.many("target").is_empty() {
        by_variable(candidates, &mut choices)?;
    }
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

/// Decides about those that have the variable of the URL, and no other evidence.
///
/// Much that is no Prisma project has a `DATABASE_URL`, and no migrations in its image: with a gate it would never start.
fn by_variable(candidates: &[Candidate], choices: &mut [Choice]) -> Result<(), Diagnostic> {
    let has_variable = |index: &usize| {
        matches!(choices[*index], Choice::Leave(_))
            && candidates[*index].survey.gate().is_none()
            && candidates[*index].survey.variable().is_some()
    };
    let open: Vec<usize> = (0..choices.len()).filter(has_variable).collect();
    let is_better = |(candidate, choice): (&Candidate, &Choice)| {
        let survey = &candidate.survey;
        survey.gate().is_some() || (matches!(choice, Choice::Gate(_)) && survey.prisma().is_some())
    };
    let has_better = candidates.iter().zip(choices.iter()).any(is_better);
    if open.len() > 1 && !has_better {
        return Err(several(open.iter().map(|index| &candidates[*index])));
    }
    for index in open {
        let evidence = candidates[index].survey.variable().unwrap_or_default();
        choices[index] = if has_better {
            Choice::Leave(format!(
                "{evidence}, but others migrate with Prisma or have a gate: the label `plimsoll.dev/inject: \"true\"` would gate it too"
            ))
        } else {
            Choice::Gate(evidence)
        };
    }
    Ok(())
}

/// Decides about a workload that comes alone, as to a webhook.
pub(crate) fn choose_alone(candidate: &Candidate, flags: &Given) -> Result<Choice, Diagnostic> {
    let choice = choose_one(candidate, flags);
    if !flags.many("target").is_empty() {
        return Ok(choice);
    }
    let mut choices = [choice];
    by_variable(std::slice::from_ref(candidate), &mut choices)?;
    let [choice] = choices;
    Ok(choice)
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
    if let Some(name) = without_image(candidate) {
        return Choice::Refuse(format!(
            "container `{name}` has no image: it looks like a patch of kustomize's"
        ));
    }
    if flags.is_on("all") {
        return Choice::Gate("`--all` was given".to_owned());
    }
    match survey.prisma() {
        Some(evidence) => Choice::Gate(evidence),
        None => Choice::Leave(format!(
            "no container runs Prisma's migrate or has the variable `{}`",
            settings.env
        )),
    }
}

/// A container without an image: a patch says only what is to be different.
pub(crate) fn without_image(candidate: &Candidate) -> Option<&str> {
    let pod = candidate.object.pointer(&candidate.workload.pod()).unwrap_or(&Value::Null);
    let mut all = list(pod, "/initContainers").iter().chain(list(pod, "/containers"));
    all.find(|container| text(container, "/image").is_none()).map(name)
}

fn several<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> Diagnostic {
    Diagnostic::new(
        Code::InjectNothing,
        format!("several workloads have the URL's variable, and none migrates with Prisma: {}", titles(candidates.map(|candidate| &candidate.workload))),
    )
    .help("name those with migrations in their image: `--target NAME`, or the label `plimsoll.dev/inject: \"true\"` on them")
    .help("to gate all of them: `--all`")
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

/// The container that the gate takes its image and its variables from. `needed` names those of the URL.
pub(crate) fn application<'p>(
    candidate: &Candidate,
    pod: &'p Value,
    needed: &[String],
) -> Result<&'p Value, Diagnostic> {
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
    let usual = format!("{}/metadata/annotations/{}", candidate.workload.template, escape(DEFAULT_CONTAINER));
    let usual = text(&candidate.object, &usual);
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
        several => one_of(candidate, several, needed),
    }
}

/// The first of several containers, if it makes no difference which one it is.
fn one_of<'p>(
    candidate: &Candidate,
    several: &[&'p Value],
    needed: &[String],
) -> Result<&'p Value, Diagnostic> {
    let settings = &candidate.settings;
    let source = |container: &Value| Source::of(container, None, &settings.env, needed);
    let first = source(several[0]);
    let rest = &several[1..];
    let unclear = |what: &str| {
        let message = format!("the gate could take its {what} from any of {}", list_of(several));
        let trouble = candidate.workload.trouble(Code::InjectUnclear, &message);
        trouble.help("name the container that holds the migrations: `--container NAME`")
    };
    if !rest.iter().all(|other| source(other).has_image_of(&first)) {
        return Err(unclear("image"));
    }
    // A Secret of its own says where the gate goes, whatever the containers have.
    if settings.secret.is_none() && !rest.iter().all(|other| source(other).has_database_of(&first)) {
        return Err(unclear("URL"));
    }
    Ok(several[0])
}

fn list_of(containers: &[&Value]) -> String {
    join(containers.iter().map(|container| name(container)))
}

/// Whether a container is a known sidecar.
pub(crate) fn is_sidecar(container: &Value) -> bool {
    is_one_of(container, &sidecars().collect::<Vec<_>>())
}

/// Whether a container has one of these names, or the last part of its image's.
pub(crate) fn is_one_of(container: &Value, names: &[&str]) -> bool {
    let image = text(container, "/image").unwrap_or_default();
    let image = image.rsplit('/').next().unwrap_or_default().split([':', '@']).next().unwrap_or_default();
    names.iter().any(|known| *known == name(container) || *known == image)
}
