//! Changes to an object that can be taken back exactly.
//!
//! A place is a JSON pointer in which the item of a list is named by its `name`: other tools may put containers before
//! ours between a change and its undoing, and an index would then hit the wrong one.

use serde_json::{Map, Value, json};

use crate::digest;
use crate::hidden;
pub(crate) use crate::place::{locate, move_to_theirs, place, value_at};
use crate::value::{escape, name, unescape};

/// How one change is taken back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Undo {
    /// The place that was changed.
    pub(crate) at: String,
    pub(crate) how: How,
    pub(crate) now: Now,
}

/// What to do at the place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum How {
    /// Nothing was here: delete what is.
    Delete,
    /// This value was here.
    Put { was: Value, text: Option<String>, position: usize },
    /// An alias was here, which had to be written out if what it stands for was changed, here or where its anchor is.
    /// The value comes back by itself; this is how it was written.
    Alias { text: String },
}

/// What was written at the place: if something else is there now, somebody has changed it since.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Now {
    /// An empty list or object, which others may have put something into since: then it stays.
    Empty,
    /// Nothing: it was deleted.
    Absent,
    /// The value with this digest.
    Is(Value),
}

impl Undo {
    /// As it stands in the record.
    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({"at": self.at});
        if let How::Put { was, text, position } = &self.how {
            json["was"] = was.clone();
            if let Some(text) = text {
                json["text"] = json!(text);
            }
            json["i"] = json!(position);
        }
        if let How::Alias { text } = &self.how {
            json["text"] = json!(text);
        }
        match &self.now {
            Now::Empty if matches!(self.how, How::Alias { .. }) => json["if"] = json!("alias"),
            Now::Empty => json["if"] = json!("empty"),
            Now::Absent => {}
            Now::Is(digest) => json["now"] = digest.clone(),
        }
        json
    }

    /// Reads what [`Undo::to_json`] wrote; `None` if it is something else.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let at = value.get("at")?.as_str()?.to_owned();
        let text = value.get("text").and_then(Value::as_str).map(str::to_owned);
        let is_alias = value.get("if").and_then(Value::as_str) == Some("alias");
        let how = match value.get("was") {
            Some(was) => How::Put {
                was: was.clone(),
                text,
                position: usize::try_from(value.get("i")?.as_u64()?).ok()?,
            },
            None if is_alias => How::Alias { text: text? },
            None => How::Delete,
        };
        let now = match (value.get("now"), value.get("if").and_then(Value::as_str)) {
            (Some(digest), None) => Now::Is(digest.clone()),
            (None, Some("empty" | "alias")) => Now::Empty,
            (None, None) => Now::Absent,
            (_, Some(_)) => return None,
        };
        Some(Self { at, how, now })
    }

    /// Whether what was written is still there, or nothing that it could be in.
    pub(crate) fn is_intact(&self, object: &Value) -> bool {
        let parent = self.at.rsplit_once('/').and_then(|(parent, _)| locate(object, parent));
        match &self.now {
            Now::Empty => true,
            // The list that a container was in may have gone with it.
            _ if parent.is_none() && !digest::is_container(&self.at) => true,
            Now::Absent => value_at(object, &self.at).is_none(),
            Now::Is(digest) => {
                value_at(object, &self.at).is_some_and(|value| digest::at(&self.at, value) == *digest)
            }
        }
    }

    /// Whether this changed the value at a place. An alias is only a text, whatever else was changed there.
    pub(crate) fn changes(&self, at: &str) -> bool {
        self.at == at && self.is_change()
    }

    pub(crate) fn is_change(&self) -> bool {
        !matches!(self.how, How::Alias { .. })
    }

    /// Whether what was here held a password, which is not recorded, so that it cannot come back.
    pub(crate) fn is_hidden(&self) -> bool {
        matches!(&self.how, How::Put { was, .. } if hidden::is_in(was))
    }

    /// Takes the change back; a place that is not there any more is left alone.
    pub(crate) fn apply(&self, object: &mut Value) {
        let Some((parent, last)) = self.at.rsplit_once('/') else { return };
        let last = unescape(last);
        let Some(parent) = locate(object, parent).and_then(|pointer| object.pointer_mut(&pointer)) else {
            return;
        };
        match parent {
            Value::Object(map) => self.apply_to_map(map, &last),
            Value::Array(items) => self.apply_to_list(items, &last),
            _ => {}
        }
    }

    fn apply_to_map(&self, map: &mut Map<String, Value>, key: &str) {
        match &self.how {
            _ if self.now == Now::Empty && !map.get(key).is_some_and(is_empty) => {}
            How::Put { was, .. } if map.contains_key(key) => {
                map.insert(key.to_owned(), was.clone());
            }
            How::Put { was, position, .. } => {
                map.shift_insert((*position).min(map.len()), key.to_owned(), was.clone());
            }
            How::Alias { .. } => {}
            How::Delete => {
                map.shift_remove(key);
            }
        }
    }

    fn apply_to_list(&self, items: &mut Vec<Value>, wanted: &str) {
        if let Some(index) = items.iter().position(|item| name(item) == wanted) {
            match &self.how {
                How::Put { was, .. } => items[index] = was.clone(),
                How::Alias { .. } => {}
                How::Delete => {
                    items.remove(index);
                }
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Notes in each way back what is to be undone: what stands at its place in the finished object.
pub(crate) fn stamp(undo: &mut [Undo], object: &Value) {
    for undo in undo.iter_mut().filter(|undo| undo.now != Now::Empty) {
        undo.now =
            value_at(object, &undo.at).map_or(Now::Absent, |value| Now::Is(digest::at(&undo.at, value)));
    }
}

/// Where a walk over an object is: once as a place, once as a JSON pointer.
#[derive(Default)]
struct Spot {
    place: String,
    pointer: String,
}

impl Spot {
    fn child(&self, place: &str, pointer: &str) -> Self {
        let place = format!("{}/{}", self.place, escape(place));
        Self { place, pointer: format!("{}/{}", self.pointer, escape(pointer)) }
    }
}

/// Finds every alias that has a place; an item without a name has none.
fn aliases(value: &Value, spot: &Spot, text: &dyn Fn(&str) -> Option<String>, found: &mut Vec<Undo>) {
    if !spot.pointer.is_empty()
        && let Some(text) = text(&spot.pointer).filter(|text| text.trim_start().starts_with('*'))
    {
        // Its text is used only where it means what is there: nobody's change can be lost by it.
        return found.push(Undo { at: spot.place.clone(), how: How::Alias { text }, now: Now::Empty });
    }
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| aliases(value, &spot.child(key, key), text, found));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !name(item).is_empty()) {
                aliases(item, &spot.child(name(item), &index.to_string()), text, found);
            }
        }
        _ => {}
    }
}

/// An object that is being changed, and how to take it all back.
pub(crate) struct Editor<'t> {
    object: Value,
    original: Value,
    undo: Vec<Undo>,
    /// The text of the value at a JSON pointer of the original, if the caller has one.
    text: &'t dyn Fn(&str) -> Option<String>,
}

impl<'t> Editor<'t> {
    /// Begins with an object as it is. Its aliases are remembered at once: a change anywhere can reach one of them.
    pub(crate) fn new(object: &Value, text: &'t dyn Fn(&str) -> Option<String>) -> Self {
        let mut undo = Vec::new();
        aliases(object, &Spot::default(), text, &mut undo);
        Self { object: object.clone(), original: object.clone(), undo, text }
    }

    /// The object as it is now.
    pub(crate) fn object(&self) -> &Value {
        &self.object
    }

    /// The changed object, and the way back, which is to be gone from the end, and to be [`stamp`]ed before.
    pub(crate) fn finish(self) -> (Value, Vec<Undo>) {
        (self.object, self.undo)
    }

    /// Puts a value at a place whose last segment is the key of an object; makes the objects that lead there.
    pub(crate) fn set(&mut self, at: &str, value: Value) {
        let Some((parent, key)) = at.rsplit_once('/') else { return };
        self.need(parent, &json!({}));
        let key = unescape(key);
        let Some(map) = self.map(parent) else { return };
        let position = map.keys().position(|k| *k == key);
        match (map.get(&key).is_some_and(|was| *was == value), position) {
            (true, _) => {}
            (false, Some(position)) => {
                if let Some(was) = map.insert(key, value) {
                    self.replaced(at, was, position, Now::Absent);
                }
            }
            (false, None) => {
                map.insert(key, value);
                self.added(at, Now::Absent);
            }
        }
    }

    /// Deletes the key at a place.
    pub(crate) fn delete(&mut self, at: &str) {
        let Some((parent, key)) = at.rsplit_once('/') else { return };
        let key = unescape(key);
        let Some(map) = self.map(parent) else { return };
        if let Some(position) = map.keys().position(|k| *k == key)
            && let Some(was) = map.shift_remove(&key)
        {
            self.replaced(at, was, position, Now::Absent);
        }
    }

    /// Puts a named item into the list at a place, which is made if it is missing.
    pub(crate) fn insert(&mut self, at: &str, index: usize, item: Value) {
        self.need(at, &json!([]));
        let place = format!("{at}/{}", escape(name(&item)));
        let list = locate(&self.object, at).and_then(|pointer| self.object.pointer_mut(&pointer));
        if let Some(items) = list.and_then(Value::as_array_mut) {
            items.insert(index.min(items.len()), item);
            self.added(&place, Now::Absent);
        }
    }

    /// Puts a named item at the end of the list at a place.
    pub(crate) fn push(&mut self, at: &str, item: Value) {
        self.insert(at, usize::MAX, item);
    }

    /// Puts a named item into the list at a place, instead of the one of its name if there is one.
    pub(crate) fn put(&mut self, at: &str, item: Value) {
        let place = format!("{at}/{}", escape(name(&item)));
        let there = locate(&self.object, &place).and_then(|pointer| self.object.pointer_mut(&pointer));
        match there {
            None => self.push(at, item),
            Some(there) if *there == item => {}
            Some(there) => {
                let was = std::mem::replace(there, item);
                self.replaced(&place, was, 0, Now::Absent);
            }
        }
    }

    /// Makes the object at a place, and those that lead there.
    pub(crate) fn need_map(&mut self, at: &str) {
        self.need(at, &json!({}));
    }

    fn need(&mut self, at: &str, empty: &Value) {
        if at.is_empty() {
            return;
        }
        let present = locate(&self.object, at).and_then(|pointer| self.object.pointer(&pointer));
        // `annotations: null` is how some tools write "none": the API server takes it for absent.
        if present.is_some_and(|value| !value.is_null()) {
            return;
        }
        let Some((parent, key)) = at.rsplit_once('/') else { return };
        self.need(parent, &json!({}));
        let key = unescape(key);
        let Some(map) = self.map(parent) else { return };
        let position = map.keys().position(|k| *k == key);
        // People write init containers before the containers that they run before.
        let before = if key == "initContainers" { map.keys().position(|k| k == "containers") } else { None };
        let index = position.or(before).unwrap_or(map.len());
        match (map.shift_insert(index, key, empty.clone()), position) {
            (Some(was), Some(position)) => self.replaced(at, was, position, Now::Empty),
            _ => self.added(at, Now::Empty),
        }
    }

    fn replaced(&mut self, at: &str, was: Value, position: usize, now: Now) {
        let text = locate(&self.original, at).and_then(|pointer| (self.text)(&pointer));
        let was = hidden::hide(was);
        // An annotation is copied to every ReplicaSet: no password may stand in one.
        let text = text.filter(|_| !hidden::is_in(&was));
        self.remember(Undo { at: at.to_owned(), how: How::Put { was, text, position }, now });
    }

    fn added(&mut self, at: &str, now: Now) {
        self.remember(Undo { at: at.to_owned(), how: How::Delete, now });
    }

    /// Of several changes at one place, the first one knows what was there.
    fn remember(&mut self, undo: Undo) {
        if !self.undo.iter().any(|other| other.changes(&undo.at)) {
            self.undo.push(undo);
        }
    }

    fn map(&mut self, at: &str) -> Option<&mut Map<String, Value>> {
        let pointer = locate(&self.object, at)?;
        self.object.pointer_mut(&pointer).and_then(Value::as_object_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(object: &Value, change: impl FnOnce(&mut Editor<'_>)) -> (Value, Value) {
        let no_text = |_: &str| None;
        let mut editor = Editor::new(object, &no_text);
        change(&mut editor);
        let (changed, mut undo) = editor.finish();
        stamp(&mut undo, &changed);
        let mut back = changed.clone();
        for undo in undo.iter().rev() {
            let read = Undo::from_json(&undo.to_json()).unwrap();
            assert_eq!(&read, undo);
            read.apply(&mut back);
        }
        (changed, back)
    }

    #[test]
    fn what_is_set_deleted_and_inserted_is_taken_back_with_its_order() {
        let object = json!({"a": 1, "list": [{"name": "x", "k": 1, "l": 2, "m": 3}], "z": 1});
        let (changed, back) = change(&object, |editor| {
            editor.delete("/list/x/l");
            editor.set("/list/x/k", json!(7));
            editor.set("/made/deep", json!(true));
            editor.insert("/list", 0, json!({"name": "first"}));
            editor.push("/other", json!({"name": "y"}));
        });
        assert_eq!(
            changed.to_string(),
            r#"{"a":1,"list":[{"name":"first"},{"name":"x","k":7,"m":3}],"z":1,"made":{"deep":true},"other":[{"name":"y"}]}"#
        );
        assert_eq!(back.to_string(), object.to_string());
    }

    #[test]
    fn what_somebody_else_put_into_a_list_of_ours_stays() {
        let no_text = |_: &str| None;
        let mut editor = Editor::new(&json!({}), &no_text);
        editor.push("/list", json!({"name": "ours"}));
        let (mut object, undo) = editor.finish();
        object["list"].as_array_mut().unwrap().insert(0, json!({"name": "theirs"}));
        undo.iter().rev().for_each(|undo| undo.apply(&mut object));
        assert_eq!(object, json!({"list": [{"name": "theirs"}]}));
    }

    #[test]
    fn every_alias_with_a_place_is_remembered_and_is_no_change_itself() {
        let text = |pointer: &str| Some(if pointer.ends_with("env") { " *env" } else { " else" }.to_owned());
        let object = json!({"list": [{"name": "a/b", "env": []}, {"env": []}], "env": {"env": 1}});
        let mut editor = Editor::new(&object, &text);
        editor.push("/list/a~1b/env", json!({"name": "x"}));
        let (mut changed, undo) = editor.finish();
        let undo: Vec<Undo> = undo.iter().map(|undo| Undo::from_json(&undo.to_json()).unwrap()).collect();
        let places: Vec<&str> = undo.iter().map(|undo| undo.at.as_str()).collect();
        assert_eq!(places, ["/list/a~1b/env", "/env", "/list/a~1b/env/x"]);
        assert_eq!(undo[0].how, How::Alias { text: " *env".to_owned() });
        undo.iter().rev().for_each(|undo| undo.apply(&mut changed));
        assert_eq!(changed, object);
    }

    #[test]
    fn a_null_is_given_back() {
        let object = json!({"metadata": {"annotations": null, "name": "a"}});
        let (changed, back) = change(&object, |editor| editor.set("/metadata/annotations/k", json!("v")));
        assert_eq!(changed, json!({"metadata": {"annotations": {"k": "v"}, "name": "a"}}));
        assert_eq!(back.to_string(), object.to_string());
    }
}
