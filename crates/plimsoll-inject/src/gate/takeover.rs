//! What is there already and becomes the gate's work.

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Map, Value, json};

use super::LEAVE;
use super::place::{Containers, Place};
use crate::detect::{Deploy, Rest, Role};
use crate::edit::Editor;
use crate::select::Candidate;
use crate::settings::Existing;
use crate::source::Source;
use crate::value::{list, name, text, texts};

/// What the gate takes over.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    /// A container that does nothing else.
    pub(super) whole: Option<Whole>,
    /// Start commands that go on without their migration.
    pub(super) starts: Vec<Start>,
    /// The migration that a new gate runs instead of a start command.
    pub(super) deploy: Option<Deploy>,
    /// Which migrations go to which database: the same for everything that the gate takes over.
    source: Option<Source>,
    pub(super) notes: Vec<String>,
}

/// A container that becomes the gate.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) place: Place,
    /// What it ran.
    pub(super) deploy: Deploy,
}

/// A container that keeps the rest of its start command.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) place: Place,
    /// What is left.
    pub(super) rest: Rest,
    /// What went.
    pub(super) was: String,
}

/// Finds out what is taken over; what cannot be is an error that names the ways on.
pub(super) fn of(candidate: &Candidate, pod: &Value, needed: &[String]) -> Result<Takeover, Diagnostic> {
    let Candidate { survey, .. } = candidate;
    let mut takeover = Takeover::default();
    for (list, roles) in [(Containers::Init, &survey.init), (Containers::Main, &survey.containers)] {
        for (name, role) in roles {
            let place = Place { list, name: name.clone() };
            look(candidate, pod, &mut takeover, place.clone(), role)?;
            agree(candidate, pod, &mut takeover, &place, role, needed)?;
        }
    }
    Ok(takeover)
}

fn look(
    candidate: &Candidate,
    pod: &Value,
    takeover: &mut Takeover,
    place: Place,
    role: &Role,
) -> Result<(), Diagnostic> {
    let is_init = place.list == Containers::Init;
    let keeps = candidate.settings.existing == Existing::Keep;
    let name = place.name.as_str();
    match role {
        Role::Gate | Role::Nothing => {}
        Role::Other(command) => {
            takeover
                .notes
                .push(format!("`{name}` runs `{command}`, which is not `migrate deploy` and stays as it is"));
        }
        Role::Migrates(_) | Role::Starts(..) | Role::Unclear(_) if keeps => {
            takeover.notes.push(format!(
                "`{name}` keeps its own Prisma command, as `--existing keep` says; it will find nothing to do"
            ));
            takeover.deploy.get_or_insert_default();
        }
        Role::Unclear(why) => return Err(unclear(candidate, name, why)),
        Role::Starts(deploy, _) if is_init => {
            let why = format!("it does more than `{}` in one init container", deploy.was.trim());
            return Err(unclear(candidate, name, &why));
        }
        Role::Starts(deploy, rest) => start(takeover, place, deploy, rest),
        Role::Migrates(deploy) => {
            let restarts = !is_init && !candidate.workload.ends_by_itself(&candidate.object);
            if restarts {
                return Err(unclear(
                    candidate,
                    name,
                    "it migrates and does nothing else, in a pod that is started again when it ends",
                ));
            }
            let restart = place.container(pod).and_then(|container| text(container, "/restartPolicy"));
            let is_sidecar = is_init && restart == Some("Always");
            if is_sidecar || takeover.whole.is_some() {
                return Err(unclear(
                    candidate,
                    name,
                    "it is the second that migrates in this pod, or a sidecar",
                ));
            }
            takeover.notes.extend(deploy.notes.iter().cloned());
            takeover.whole = Some(Whole { place, deploy: deploy.clone() });
        }
    }
    Ok(())
}

fn start(takeover: &mut Takeover, place: Place, deploy: &Deploy, rest: &Rest) {
    takeover.notes.extend(deploy.notes.iter().cloned());
    takeover.deploy.get_or_insert_with(|| deploy.clone());
    takeover.starts.push(Start { place, rest: rest.clone(), was: deploy.was.trim().to_owned() });
}

/// One gate does the work of several commands only if they bring the same migrations to the same database: those of the
/// others would be gone from the manifest, and nobody would apply them.
fn agree(
    candidate: &Candidate,
    pod: &Value,
    takeover: &mut Takeover,
    place: &Place,
    role: &Role,
    needed: &[String],
) -> Result<(), Diagnostic> {
    let (Role::Migrates(deploy) | Role::Starts(deploy, _)) = role else { return Ok(()) };
    let container = place.container(pod).unwrap_or(&Value::Null);
    if candidate.settings.existing == Existing::Keep {
        return Ok(());
    }
    let source = Source::of(container, Some(deploy), &candidate.settings.env, needed);
    match &takeover.source {
        Some(other) if *other != source => {
            let why = "another container of this pod migrates too, with another image, database, directory or other arguments";
            return Err(unclear(candidate, &place.name, why));
        }
        _ => takeover.source = Some(source),
    }
    // The containers of a Job start at the same time: one of them holds no other back.
    if !takeover.starts.is_empty()
        && takeover.whole.as_ref().is_some_and(|whole| whole.place.list == Containers::Main)
    {
        return Err(unclear(
            candidate,
            &place.name,
            "another container of this pod migrates at the same time",
        ));
    }
    Ok(())
}

/// The gate has the variables of `base`: a command that it takes over must have had the same.
pub(super) fn is_of(
    candidate: &Candidate,
    base: &Value,
    takeover: &Takeover,
    needed: &[String],
) -> Result<(), Diagnostic> {
    let Some(source) = &takeover.source else { return Ok(()) };
    let own = Source::of(base, takeover.deploy.as_ref(), &candidate.settings.env, needed);
    if own == *source {
        return Ok(());
    }
    let container = takeover.starts.first().map_or("", |start| start.place.name.as_str());
    let why =
        format!("the gate is made from `{}`, which has another image, database or directory", name(base));
    Err(unclear(candidate, container, &why))
}

fn unclear(candidate: &Candidate, name: &str, why: &str) -> Diagnostic {
    candidate
        .workload
        .trouble(Code::InjectCommand, &format!("the Prisma command of container `{name}` cannot be taken over: {why}"))
        .help("to put the gate before it and leave it as it is: `--existing keep`, or `plimsoll.dev/existing: keep` on the workload")
        .help(LEAVE)
}

/// Leaves a start command without its migration.
pub(super) fn cut(editor: &mut Editor<'_>, at: &str, rest: &Rest) {
    let mut words: Vec<Value> = editor_list(editor, &format!("{at}/{}", rest.list));
    if let Some(word) = words.get_mut(rest.index) {
        *word = json!(rest.script);
    }
    editor.set(&format!("{at}/{}", rest.list), Value::Array(words));
}

fn editor_list(editor: &Editor<'_>, at: &str) -> Vec<Value> {
    let pointer = crate::edit::locate(editor.object(), at).unwrap_or_default();
    list(editor.object(), &pointer).to_vec()
}

/// Sets the command of a container, in as many lists as it had.
pub(super) fn command(editor: &mut Editor<'_>, at: &str, program: &str, (verb, args): (&str, Vec<String>)) {
    let had_args = crate::edit::locate(editor.object(), &format!("{at}/args")).is_some();
    let mut command = vec![program.to_owned(), verb.to_owned()];
    if had_args && !args.is_empty() {
        editor.set(&format!("{at}/command"), json!(command));
        editor.set(&format!("{at}/args"), json!(args));
    } else {
        command.extend(args);
        editor.set(&format!("{at}/command"), json!(command));
        editor.delete(&format!("{at}/args"));
    }
}

/// Adds what a container lacks of these fields; what it has of its own wins.
pub(super) fn complete(editor: &mut Editor<'_>, at: &str, container: &Value, fields: Map<String, Value>) {
    for (key, value) in fields {
        match (container.get(&key), value) {
            (Some(own), Value::Object(wanted)) if key == "securityContext" && own.is_object() => {
                let is_root = own.get("runAsUser").and_then(Value::as_u64) == Some(0);
                for (key, value) in wanted {
                    // A container that says it is root would not start at all.
                    let contradicts = is_root && key == "runAsNonRoot"
                        || is_privileged(own) && key == "allowPrivilegeEscalation";
                    if own.get(&key).is_none() && !contradicts {
                        editor.set(&format!("{at}/securityContext/{key}"), value);
                    }
                }
            }
            (Some(own), _) if !own.is_null() => {}
            (_, value) => editor.set(&format!("{at}/{key}"), value),
        }
    }
}

fn is_privileged(security: &Value) -> bool {
    let adds_admin = texts(security, "/capabilities/add").iter().any(|name| name.ends_with("SYS_ADMIN"));
    adds_admin || security.get("privileged").and_then(Value::as_bool) == Some(true)
}
