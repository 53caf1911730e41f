//! What becomes of the entries of a mapping that may have merge keys.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::value::Key;

/// What becomes of the entries of a mapping.
pub(super) struct Plan<'w> {
    pub(super) stays: Vec<bool>,
    /// New names, each with the entry that it follows.
    pub(super) new: Vec<(&'w str, Option<usize>)>,
}

/// The entries of a mapping, in the order of the text.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) keys: Vec<Key>,
    /// What each of them merges in the end; nothing for a key with a name, or if what it names will not be there.
    pub(super) merges: Vec<Option<Map<String, Value>>>,
}

/// Decides what becomes of the entries of a mapping, whose values have been changed already.
pub(super) fn plan<'w>(entries: &Entries, wanted: &'w Map<String, Value>) -> Plan<'w> {
    let merged = merged(entries, wanted);
    let stays = |key: &Key| match key {
        Key::Name(name) => wanted.contains_key(name),
        Key::Merge => merged.is_some(),
    };
    let own = own(&entries.keys);
    let last_merge = entries.keys.iter().rposition(|key| *key == Key::Merge).filter(|_| merged.is_some());
    let is_given = |name: &str| merged.as_ref().is_some_and(|merged| merged.get(name) == wanted.get(name));
    let mut after = None;
    let mut new = Vec::new();
    for name in wanted.keys() {
        if let Some(index) = own.get(name.as_str()) {
            after = Some(*index);
        } else if !is_given(name) {
            // Behind every merge key, which would win otherwise.
            new.push((name.as_str(), after.max(last_merge)));
        }
    }
    Plan { stays: entries.keys.iter().map(stays).collect(), new }
}

/// The names of the mapping itself, with the index of their entry.
fn own(keys: &[Key]) -> HashMap<&str, usize> {
    let named = keys.iter().enumerate().filter_map(|(index, key)| match key {
        Key::Name(name) => Some((name.as_str(), index)),
        Key::Merge => None,
    });
    named.collect()
}

/// What the merge keys give in the end; nothing if they have to go, because they give something that is not wanted.
fn merged(entries: &Entries, wanted: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut all = Map::new();
    let mut later: HashSet<&str> = HashSet::new();
    for (key, merge) in entries.keys.iter().zip(&entries.merges).rev() {
        match key {
            Key::Name(name) => {
                later.insert(name);
            }
            Key::Merge => {
                for (name, value) in merge.as_ref()? {
                    // What a later entry says counts.
                    if !later.contains(name.as_str()) && !all.contains_key(name) {
                        all.insert(name.clone(), value.clone());
                    }
                }
            }
        }
    }
    // A key of the mapping itself that a merge key behind it overrides cannot get another value there.
    let own = own(&entries.keys);
    let fits = |name: &str, value: &Value| {
        wanted.get(name).is_some_and(|wanted| wanted == value || !own.contains_key(name))
    };
    all.iter().all(|(name, value)| fits(name, value)).then_some(all)
}
