//! The one table of options: flags, annotations and labels are made from it, and so is the documentation.

use std::collections::BTreeMap;

use plimsoll_core::{Code, Diagnostic};

/// What every annotation and label of ours begins with.
pub const PREFIX: &str = "plimsoll.dev/";

/// Who can give an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Flags, and annotations or labels of a workload or its pod template.
    Workload,
    /// Only annotations or labels: what says yes or no for one workload.
    Label,
    /// Only flags: what chooses among workloads.
    Run,
}

/// How often an option can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Once; a later flag replaces an earlier one.
    One,
    /// Again and again; in an annotation with commas between.
    Many,
    /// Without a value.
    Switch,
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The flag without its dashes, and the annotation without its prefix.
    pub name: &'static str,
    /// What the value is called in the help.
    pub value: &'static str,
    /// Who can give it.
    pub scope: Scope,
    /// How often it can be given.
    pub arity: Arity,
    /// What holds if nobody gives it, in words or as a value; empty if that is nothing.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! options {
    ($($name:literal $value:literal, $scope:ident $arity:ident, $default:literal, $meaning:literal;)+) => {
        /// Every option, in the order of the documentation.
        pub const OPTIONS: &[Row] = &[$(Row {
            name: $name, value: $value, scope: Scope::$scope, arity: Arity::$arity, default: $default, meaning: $meaning,
        },)+];
    };
}

options! {
    "inject" "BOOLEAN", Label One, "what the evidence says", "Gate this workload (`true`), or never (`false`). It decides before everything else";
    "target" "[KIND/]NAME", Run Many, "every workload with evidence", "Gate this workload; can be given again";
    "all" "", Run Switch, "", "Gate every workload, also those without evidence of a database";
    "template-path" "KIND=PATH", Run Many, "the kinds that are known", "Where the pod template of another kind stands, as in `CloneSet=spec.template`";

    "mode" "MODE", Workload One, "deploy", "`deploy` applies what is pending; `wait` only waits until somebody else has";
    "env" "NAME", Workload One, "DATABASE_URL", "The variable that holds the connection URL";
    "secret" "NAME/KEY", Workload One, "the entry of the container", "The Secret that holds the URL for the gate alone, as for a role that owns the tables";
    "copy-env" "NAME", Workload Many, "", "One more variable of the container that the gate needs";
    "container" "NAME", Workload One, "the application's", "The container that the gate takes image, variables and mounts from";
    "name" "NAME", Workload One, "plimsoll", "The name of the gate's container";
    "delivery" "HOW", Workload One, "image", "Where the binary comes from: `image` (the application's), `volume` (an image volume; Kubernetes 1.33 with its feature gate, 1.35 without), `copy` (copied by an init container before)";
    "plimsoll-image" "IMAGE", Workload One, "", "Plimsoll's own image, for `volume` and `copy`; given alone it means `--delivery volume`";
    "binary" "PATH", Workload One, "plimsoll", "Where the binary is in the application's image";
    "schema" "PATH", Workload One, "as Prisma finds it", "Passed on to the gate: the Prisma schema in its image, a file or a folder";
    "config" "FILE", Workload One, "as Prisma finds it", "Passed on to the gate: the Prisma config file in its image";
    "migrations" "DIRECTORY", Workload One, "as Prisma finds it", "Passed on to the gate: the migrations directory in its image";
    "wait" "TIME", Workload One, "what the gate does by itself", "Passed on to the gate: for how long to wait for the database";
    "lock-wait" "TIME", Workload One, "what the gate does by itself", "Passed on to the gate: for how long to wait for another runner";
    "lock-timeout" "TIME", Workload One, "what the gate does by itself", "Passed on to the gate: for how long a statement of a migration may wait for a lock before it is tried again";
    "statement-timeout" "TIME", Workload One, "what the gate does by itself", "Passed on to the gate: how long a statement of a migration may take";
    "timeout" "TIME", Workload One, "what the gate does by itself", "Passed on to the gate: how long its run may take, waiting included";
    "if-ahead" "POLICY", Workload One, "what the gate does by itself", "Passed on to the gate: what to do if the database is ahead of the image";
    "mount" "NAME", Workload Many, "Secrets, ConfigMaps and the like; the volume of a SQLite file", "One more volume of the container that the gate needs, mounted as the container mounts it";
    "place" "WHERE", Workload One, "after native sidecars", "Where the gate stands among the init containers: `first`, `last`, `before=NAME`, `after=NAME`";
    "security" "HOW", Workload One, "restricted", "The security context: `restricted` passes Pod Security `restricted`; `container` is the container's own; `none` writes none";
    "run-as-user" "UID", Workload One, "the container's or the pod's, else 65532, or with a SQLite file the application's", "The user of the gate; `image` leaves it to the image and the cluster, as OpenShift wants";
    "existing" "HOW", Workload One, "replace", "What to do with a Prisma command that is there: `replace` turns it into the gate; `keep` leaves it and puts the gate before it";
    "grace" "SECONDS", Workload One, "as it is", "Set `terminationGracePeriodSeconds` of the pod";
    "progress-deadline" "SECONDS", Workload One, "as it is", "Set `progressDeadlineSeconds` of a Deployment or a Rollout";
}

/// The row of this name.
pub fn row(name: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.name == name)
}

/// Options that somebody gave, each with its values in their order.
///
/// Only names of the table get in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    values: BTreeMap<&'static str, Vec<String>>,
    /// Where an option was found, if it was not given as a flag.
    origins: BTreeMap<&'static str, String>,
}

impl Given {
    /// Adds a value; of an option that can be given once, the last one counts.
    ///
    /// A name that the table does not have is an error that names the closest one.
    pub fn add(&mut self, name: &str, value: impl Into<String>) -> Result<(), Diagnostic> {
        let row = row(name).ok_or_else(|| unknown(name))?;
        let values = self.values.entry(row.name).or_default();
        if row.arity != Arity::Many {
            values.clear();
        }
        values.push(value.into());
        Ok(())
    }

    /// Adds what an annotation or a ConfigMap says: several values with commas between them.
    pub fn add_list(&mut self, name: &str, text: &str) -> Result<(), Diagnostic> {
        match row(name) {
            Some(Row { arity: Arity::Many, .. }) => text
                .split(|c: char| c == ',' || c.is_whitespace())
                .filter(|part| !part.is_empty())
                .try_for_each(|part| self.add(name, part)),
            _ => self.add(name, text.trim()),
        }
    }

    /// The value of an option that can be given once.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(|values| values.last()).map(String::as_str)
    }

    /// All values of an option.
    pub fn many(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.one(name).is_some_and(|value| value != "false")
    }

    /// These options, and those of `weaker` for every name that is not here.
    #[must_use]
    pub(crate) fn over(&self, weaker: &Self) -> Self {
        let mut all = weaker.clone();
        for (name, values) in &self.values {
            all.values.insert(name, values.clone());
            all.origins.remove(name);
        }
        all.origins.extend(self.origins.iter().map(|(name, origin)| (*name, origin.clone())));
        all
    }

    /// Remembers where an option was found, for whoever has to correct it.
    pub(crate) fn found_at(&mut self, row: &'static Row, origin: &str) {
        self.origins.insert(row.name, origin.to_owned());
    }

    /// Where an option was found, unless it was given as a flag.
    pub(crate) fn origin(&self, name: &str) -> Option<&str> {
        self.origins.get(name).map(String::as_str)
    }
}

/// An option that does not exist.
pub(crate) fn unknown(name: &str) -> Diagnostic {
    let trouble = Diagnostic::new(Code::InjectOption, format!("there is no option `{name}`"));
    match closest(name, OPTIONS.iter().map(|row| row.name)) {
        Some(close) => trouble.help(format!("did you mean `{close}`?")),
        None => trouble.help("`plimsoll inject --help` lists them all"),
    }
}

/// The word that was probably meant.
pub(crate) fn closest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let scored = words.map(|candidate| (strsim::jaro_winkler(word, candidate), candidate));
    let best = scored.max_by(|left, right| left.0.total_cmp(&right.0));
    best.filter(|(score, _)| *score > 0.75).map(|(_, candidate)| candidate)
}

/// The table for the documentation, in Markdown.
pub fn markdown() -> String {
    let mut lines = vec![
        "| option | flag | annotation or label | default | what it means |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(OPTIONS.iter().map(line));
    lines.join("\n") + "\n"
}

fn line(row: &Row) -> String {
    let flag = match (row.scope, row.value) {
        (Scope::Label, _) => String::new(),
        (_, "") => format!("`--{}`", row.name),
        (_, value) => format!("`--{} {value}`", row.name),
    };
    let annotation = if row.scope == Scope::Run { String::new() } else { format!("`{PREFIX}{}`", row.name) };
    format!("| {} | {flag} | {annotation} | {} | {} |", row.name, row.default, row.meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_does_not_exist_names_the_closest_one() {
        let mut given = Given::default();
        let trouble = given.add("delivry", "volume").unwrap_err();
        assert_eq!(trouble.message, "there is no option `delivry`");
        assert_eq!(trouble.help, ["did you mean `delivery`?"]);
        assert_eq!(unknown("xyzzy").help, ["`plimsoll inject --help` lists them all"]);
    }

    #[test]
    fn the_last_of_several_values_counts_unless_there_can_be_many() {
        let mut given = Given::default();
        given.add("mode", "deploy").unwrap();
        given.add("mode", "wait").unwrap();
        given.add_list("mount", "a, b").unwrap();
        given.add_list("mount", "c").unwrap();
        assert_eq!(given.one("mode"), Some("wait"));
        assert_eq!(given.many("mount"), ["a", "b", "c"]);
    }

    #[test]
    fn no_name_stands_twice_in_the_table() {
        for (index, row) in OPTIONS.iter().enumerate() {
            assert!(OPTIONS[index + 1..].iter().all(|other| other.name != row.name), "{}", row.name);
        }
    }

    #[test]
    fn the_stronger_option_wins() {
        let (mut flags, mut annotations) = (Given::default(), Given::default());
        flags.add("mode", "wait").unwrap();
        annotations.add("mode", "deploy").unwrap();
        annotations.add("env", "URL").unwrap();
        let both = flags.over(&annotations);
        assert_eq!((both.one("mode"), both.one("env")), (Some("wait"), Some("URL")));
    }
}
