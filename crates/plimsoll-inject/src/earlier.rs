//! What an earlier run left in an object, and what people and other tools have changed in it since.
//!
//! A new run begins with the object as it was before the earlier one, and at its end puts back what others have changed:
//! three versions of every place are compared, the one that was written (its digest), the present one and the new one.

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Value, json};

use crate::detect::{Role, Scripts, role};
use crate::edit::{How, Now, Undo, locate, move_to_theirs, place, stamp, value_at};
use crate::record::Record;
use crate::value::{escape, join, text};
use crate::workload::Workload;
use crate::{digest, hidden};

/// An object with the record of an earlier run.
pub(crate) struct Earlier {
    pub(crate) record: Record,
    /// The object as it is in the input.
    present: Value,
    /// Containers whose command somebody has replaced by one that is to be looked at like any other.
    afresh: Vec<String>,
}

impl Earlier {
    /// Compares an object with what its record says was written.
    pub(crate) fn new(mut record: Record, present: Value, scripts: &Scripts) -> Self {
        record.undo.extend(arguments_of_the_gate(&record));
        let mut earlier = Self { record, present, afresh: Vec::new() };
        earlier.afresh = earlier.changed_commands(scripts);
        earlier
    }

    /// The same for a run that takes over no command: one that was changed since is no business of its gate any more. That of the gate
    /// itself is, as long as it is one.
    pub(crate) fn without_takeover(mut self) -> Self {
        let changed = self.record.undo.iter().filter(|undo| !self.is_intact(undo));
        let places = changed.filter_map(|undo| command_of(&undo.at)).map(str::to_owned);
        let is_other = |at: &String| !at.ends_with(&self.own_ending()) || self.afresh.contains(at);
        self.afresh = places.filter(is_other).collect();
        self
    }

    /// The object without what the earlier run did; passwords that the record does not keep are missing in it.
    pub(crate) fn before(&self) -> Value {
        let mut object = self.present.clone();
        self.record.undo(&mut object, |undo| !self.is_afresh(undo));
        object
    }

    /// Ends a new run: what others have changed is put back into its object, and said.
    pub(crate) fn settle(
        &self,
        workload: &Workload,
        container: &str,
        object: &mut Value,
        undo: &mut Vec<Undo>,
    ) -> Result<Vec<String>, Diagnostic> {
        let mut said = self.carry_on(object, undo);
        hidden::reveal(object, &self.present);
        // With its password a value may turn out to be the one that was there.
        let before = self.before();
        undo.retain(|undo| !undo.is_hidden() || value_at(&before, &undo.at) != value_at(object, &undo.at));
        stamp(undo, object);
        for change in self.record.undo.iter().filter(|undo| !self.is_afresh(undo) && !self.is_intact(undo)) {
            said.extend(self.put_back(change, container, object, undo));
        }
        if hidden::is_in(object) {
            let message = "the gate needs a password that was in a command, and no record keeps it";
            return Err(workload
                .trouble(Code::InjectRecord, message)
                .help("give the URL to the gate as a Secret: `--secret NAME/KEY`"));
        }
        Ok(said)
    }

    /// The object without its gate, and what is said about it. What others have changed stays, unless it is the gate's own.
    pub(crate) fn take_out(&self, workload: &Workload) -> Result<(Value, Vec<String>), Diagnostic> {
        let own = self.container().ok_or_else(|| self.is_lost(workload))?;
        let mut said = Vec::new();
        let mut object = self.present.clone();
        self.record.undo(&mut object, |undo| {
            let (stays, sentence) = self.fate(undo);
            said.extend(sentence);
            !stays
        });
        if value_at(&object, &own).is_some_and(runs_plimsoll) {
            return Err(self.is_stuck(workload, &own));
        }
        Ok((object, said))
    }

    /// Whether a change of the earlier run stays when its gate is taken out, and what is said about it.
    fn fate(&self, undo: &Undo) -> (bool, Option<String>) {
        let what = self.words(&undo.at);
        if self.is_hidden(undo) {
            let why = "is not given back: it held a password, which no record keeps";
            return (true, Some(format!("{what} {why}")));
        }
        let Some(present) = value_at(&self.present, &undo.at).filter(|_| !self.is_intact(undo)) else {
            // What somebody has taken away stays away.
            return (!self.is_intact(undo), None);
        };
        if let Now::Is(written) = &undo.now
            && digest::is_container(&undo.at)
        {
            let parts = join(digest::changed(written, present).iter().map(String::as_str));
            return (
                false,
                Some(format!("{what} was changed after it was put in ({parts}): that is gone with it")),
            );
        }
        let is_gates =
            command_of(&undo.at).and_then(|at| value_at(&self.present, at)).is_some_and(runs_plimsoll);
        if is_gates || is_part_of_the_delivery(&undo.at) {
            return (
                false,
                Some(format!("{what} was changed after it was put in: that is gone with the gate")),
            );
        }
        (true, Some(format!("{what} was changed after the gate was put in, and stays as it is now")))
    }

    /// Puts one thing back that somebody has changed.
    fn put_back(&self, change: &Undo, container: &str, object: &mut Value, undo: &[Undo]) -> Vec<String> {
        let Some(present) = value_at(&self.present, &change.at) else {
            return self.taken_away(change, object);
        };
        let what = self.words(&change.at);
        if container != self.record.container && self.is_command_of_gate(&change.at) {
            return vec![format!("{what} was changed after it was put in: that is gone with it")];
        }
        if let Now::Is(written) = &change.now
            && digest::is_container(&change.at)
        {
            let list = change.at.rsplit_once('/').map_or("", |(list, _)| list);
            let at = format!("{list}/{container}");
            // Another container that became the gate has parts of its own.
            let is_same_kind =
                change.at.ends_with(&self.own_ending()) && undo.iter().any(|undo| undo.changes(&at));
            let Some(new) = value_at(object, &at).filter(|_| is_same_kind) else {
                return vec![format!("{what} was changed after it was put in: that is gone with it")];
            };
            let nothing = json!({});
            let written = if self.is_orphan() { &nothing } else { written };
            let (merged, parts) = digest::merge(written, present, new);
            place(object, &at, Some(merged));
            return parts.iter().map(|part| kept(&format!("`{part}` of container `{container}`"))).collect();
        }
        let new = value_at(object, &change.at);
        if new == Some(present) {
            return Vec::new();
        }
        let has_room = new.is_some() || !is_part_of_the_delivery(&change.at);
        if has_room && place(object, &change.at, Some(present.clone())) {
            move_to_theirs(object, &change.at, undo);
            return vec![kept(&what)];
        }
        vec![format!("{what} was changed after it was put in: that is gone with it")]
    }

    /// Whether a place is the command of a container that became the gate, and still is: what somebody has made of it is no command of
    /// that container's own.
    fn is_command_of_gate(&self, at: &str) -> bool {
        let own = command_of(at).filter(|at| at.ends_with(&self.own_ending()));
        own.and_then(|at| value_at(&self.present, at)).is_some_and(runs_plimsoll)
    }

    fn taken_away(&self, change: &Undo, object: &mut Value) -> Vec<String> {
        let what = self.words(&change.at);
        if value_at(object, &change.at).is_none() {
            return Vec::new();
        }
        if digest::is_container(&change.at) || is_part_of_the_delivery(&change.at) {
            return vec![format!("{what} of an earlier run was gone: it is put in again")];
        }
        place(object, &change.at, None);
        vec![format!("{what} was taken away after the last run, and stays away")]
    }

    /// What the record cannot give back stays as it is, and goes into the new record.
    fn carry_on(&self, object: &mut Value, undo: &mut Vec<Undo>) -> Vec<String> {
        let mut said = Vec::new();
        let all = self.record.undo.iter().enumerate();
        for (index, lost) in all.filter(|(_, lost)| self.is_hidden(lost) && !self.is_afresh(lost)) {
            if undo.iter().any(|undo| undo.changes(&lost.at)) || locate(object, &lost.at).is_none() {
                continue;
            }
            place(object, &lost.at, value_at(&self.present, &lost.at).cloned());
            said.push(format!("{} stays as an earlier run made it", self.words(&lost.at)));
            if self.is_intact(lost) {
                undo.insert(index.min(undo.len()), lost.clone());
            }
        }
        said
    }

    /// Whether a place is as it was written.
    fn is_intact(&self, undo: &Undo) -> bool {
        if self.is_orphan() && digest::is_container(&undo.at) {
            return false;
        }
        self.one_thing(undo).all(|undo| undo.is_intact(&self.present))
    }

    fn is_hidden(&self, undo: &Undo) -> bool {
        self.one_thing(undo).any(Undo::is_hidden)
    }

    /// What is changed together: half of a command would be nobody's.
    fn one_thing(&self, undo: &Undo) -> impl Iterator<Item = &Undo> {
        let container = command_of(&undo.at);
        let is_same = move |other: &&Undo| {
            other.at == undo.at || container.is_some() && command_of(&other.at) == container
        };
        self.record.undo.iter().filter(is_same)
    }

    /// Whether a container is gone whose migration the gate does: what it was is known to nobody else.
    fn is_orphan(&self) -> bool {
        let mut containers =
            self.record.undo.iter().filter(|undo| undo.is_change()).filter_map(|undo| command_of(&undo.at));
        containers.any(|at| locate(&self.present, at).is_none())
    }

    fn is_afresh(&self, undo: &Undo) -> bool {
        command_of(&undo.at).is_some_and(|at| self.afresh.iter().any(|afresh| afresh == at))
    }

    /// Containers that do something else now than what an earlier run made them do, and not only with other words.
    fn changed_commands(&self, scripts: &Scripts) -> Vec<String> {
        let is_other = |at: &&str| {
            let Some(container) = value_at(&self.present, at) else { return false };
            if at.ends_with(&self.own_ending()) {
                return !runs_plimsoll(container);
            }
            role(container, scripts) != Role::Nothing
        };
        let changed = self.record.undo.iter().filter(|undo| !self.is_intact(undo));
        changed.filter_map(|undo| command_of(&undo.at)).filter(is_other).map(str::to_owned).collect()
    }

    fn own_ending(&self) -> String {
        format!("/{}", escape(&self.record.container))
    }

    /// The place of the gate's container, if it is still there.
    pub(crate) fn container(&self) -> Option<String> {
        let places = ["initContainers", "containers"]
            .map(|list| format!("{}/{list}/{}", self.record.pod, escape(&self.record.container)));
        places.into_iter().find(|at| locate(&self.present, at).is_some())
    }

    fn is_lost(&self, workload: &Workload) -> Diagnostic {
        let own = &self.record.container;
        workload
            .trouble(
                Code::InjectRecord,
                &format!("its gate is not taken out: it has no container `{own}` any more"),
            )
            .help(format!("if it has another name now, give it back its name `{own}`"))
            .help("if it is gone, delete the annotation `plimsoll.dev/gate` too")
    }

    fn is_stuck(&self, workload: &Workload, own: &str) -> Diagnostic {
        let what = self.words(own);
        let message = format!(
            "its gate is not taken out: the command of {what} held a password, which no record keeps"
        );
        workload
            .trouble(Code::InjectRecord, &message)
            .help("give the container its command back by hand, and then run this again")
    }

    /// A place as a person names it.
    fn words(&self, at: &str) -> String {
        let rest = at.strip_prefix(&self.record.pod).unwrap_or(at).trim_start_matches('/');
        match rest.splitn(3, '/').collect::<Vec<_>>().as_slice() {
            ["initContainers" | "containers", name] => format!("container `{name}`"),
            ["initContainers" | "containers", name, part] => format!("`{part}` of container `{name}`"),
            _ => format!("`{rest}`"),
        }
    }
}

fn kept(what: &str) -> String {
    format!("{what} was changed after the last run, and stays as it is now")
}

/// What a run replaced and cannot give back, as advice.
pub(crate) fn not_recorded(record: Record) -> Vec<String> {
    let earlier = Earlier { record, present: Value::Null, afresh: Vec::new() };
    let hidden = earlier.record.undo.iter().filter(|undo| undo.is_hidden());
    let say = |undo: &Undo| {
        format!(
            "{} held a password before, which the record does not keep: `--remove` cannot give it back",
            earlier.words(&undo.at)
        )
    };
    hidden.map(say).collect()
}

/// The container whose command, or whose arguments, are at a place.
fn command_of(at: &str) -> Option<&str> {
    let (container, key) = at.rsplit_once('/')?;
    (matches!(key, "command" | "args") && digest::is_container(container)).then_some(container)
}

fn is_part_of_the_delivery(at: &str) -> bool {
    matches!(at.rsplit('/').nth(1), Some("volumes" | "volumeMounts"))
}

/// Whether a container runs Plimsoll, by whatever name the binary goes.
fn runs_plimsoll(container: &Value) -> bool {
    role(container, &Scripts::new()) == Role::Gate
        || matches!(text(container, "/command/1"), Some("deploy" | "wait"))
}

/// A container that became the gate had no arguments, or they are in the record: others that it has now are new.
fn arguments_of_the_gate(record: &Record) -> Option<Undo> {
    let ending = format!("/{}/command", escape(&record.container));
    let command = record
        .undo
        .iter()
        .find(|undo| undo.is_change() && undo.at.ends_with(&ending) && command_of(&undo.at).is_some())?;
    let at = format!("{}/args", command_of(&command.at)?);
    let is_new = !record.undo.iter().any(|undo| undo.changes(&at));
    is_new.then_some(Undo { at, how: How::Delete, now: Now::Absent })
}
