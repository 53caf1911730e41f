//! Which migrations go to which database: two containers may count as one only if both answers are the same.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::detect::Deploy;
use crate::gate::{close, is_url};
use crate::value::{list, name, named, text};

/// Where a container finds its migrations and its database, as far as a manifest says so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    image: Option<Value>,
    directory: Option<String>,
    database: Database,
    args: Vec<String>,
    /// What a command sets for itself.
    own: Vec<(String, String)>,
}

/// What says where the database is.
#[derive(Clone, Debug, PartialEq)]
struct Database {
    /// The entries that a URL is made of, in their order.
    entries: Vec<Value>,
    /// Where variables come from that no manifest shows.
    sources: Vec<Value>,
    /// The mounts, if the database is a file: the same path on another volume is another database.
    mounts: Vec<Value>,
    rest: Rest,
}

/// Whether a part of the URL has to come from elsewhere than the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    None,
    Elsewhere,
}

impl Source {
    /// Looks at a container and at its command, if that migrates. `env` and `needed` name the variables of the URL.
    pub(crate) fn of(container: &Value, deploy: Option<&Deploy>, env: &str, needed: &[String]) -> Self {
        let directory = deploy.and_then(|deploy| deploy.directory.as_deref());
        let own = deploy.map_or_else(Vec::new, |deploy| deploy.env.clone());
        Self {
            image: container.get("image").cloned(),
            directory: directory.or_else(|| text(container, "/workingDir")).map(str::to_owned),
            database: Database::of(container, &own, env, needed),
            args: deploy.map_or_else(Vec::new, |deploy| deploy.args.clone()),
            own,
        }
    }

    /// Whether migrations would come from the same image.
    pub(crate) fn has_image_of(&self, other: &Self) -> bool {
        self.image == other.image
    }

    /// Whether a gate would go to the same database, as far as a manifest shows it.
    ///
    /// `envFrom` may differ if every URL stands among the entries: applications configure much else with it.
    pub(crate) fn has_database_of(&self, other: &Self) -> bool {
        let (one, two) = (&self.database, &other.database);
        let is_shown = one.rest == Rest::None && two.rest == Rest::None;
        one.entries == two.entries && one.mounts == two.mounts && (is_shown || one.sources == two.sources)
    }
}

impl Database {
    fn of(container: &Value, own: &[(String, String)], env: &str, needed: &[String]) -> Self {
        let all = list(container, "/env");
        let is_wanted = |name: &&str| *name == env || name.starts_with("PLIMSOLL_") || is_url(name, needed);
        let mut wanted: BTreeSet<&str> = all.iter().map(name).filter(is_wanted).collect();
        let missing = close(&mut wanted, all);
        let is_shown = named(all, env).is_some() && missing.is_empty();
        let entries: Vec<Value> = all.iter().filter(|entry| wanted.contains(name(entry))).cloned().collect();
        let literals = entries.iter().filter_map(|entry| text(entry, "/value"));
        let mut values = literals.chain(own.iter().map(|(_, value)| value.as_str()));
        let is_file = values.any(|value| value.starts_with("file:"));
        Self {
            entries,
            sources: list(container, "/envFrom").to_vec(),
            mounts: if is_file { list(container, "/volumeMounts").to_vec() } else { Vec::new() },
            rest: if is_shown { Rest::None } else { Rest::Elsewhere },
        }
    }
}
